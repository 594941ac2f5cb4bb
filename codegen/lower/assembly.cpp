// SPDX-License-Identifier: Apache-2.0
// Inline assembly calls. A pure one is `memory(none)`, so LLVM may merge or drop it; one on memory
// is `sideeffect` with a memory clobber, so LLVM moves no access across it; one of a whole warp is
// `convergent`, so LLVM puts it under no other condition.
#include <llvm/IR/DerivedTypes.h>
#include <llvm/IR/InlineAsm.h>

#include "codegen/lower/lowerer_p.h"

namespace barline::codegen {
namespace {

char constraint(llvm::Type* t) {
  if (t->isFloatTy()) return 'f';
  if (t->isDoubleTy()) return 'd';
  switch (t->getIntegerBitWidth()) {
    case 1: return 'b';
    case 16: return 'h';
    case 32: return 'r';
    case 64: return 'l';
    default: throw CodegenError("an operand of inline assembly has a width that no register has");
  }
}

std::string constraints(llvm::Type* result, llvm::ArrayRef<llvm::Value*> args, bool early) {
  std::string text;
  auto add = [&](const char* prefix, llvm::Type* t) {
    if (!text.empty()) text += ',';
    text += prefix;
    text += constraint(t);
  };
  const char* out = early ? "=&" : "=";
  if (auto* s = llvm::dyn_cast<llvm::StructType>(result)) {
    for (llvm::Type* t : s->elements()) add(out, t);
  } else if (!result->isVoidTy()) {
    add(out, result);
  }
  for (llvm::Value* v : args) add("", v->getType());
  return text;
}

llvm::FunctionType* signature(llvm::Type* result, llvm::ArrayRef<llvm::Value*> args) {
  llvm::SmallVector<llvm::Type*, 8> types;
  for (llvm::Value* v : args) types.push_back(v->getType());
  return llvm::FunctionType::get(result, types, false);
}

}  // namespace

llvm::Value* Lowerer::pure_asm(llvm::Type* result, llvm::StringRef text,
                               llvm::ArrayRef<llvm::Value*> args) {
  auto* code = llvm::InlineAsm::get(signature(result, args), text, constraints(result, args, false),
                                    /*hasSideEffects=*/false);
  llvm::CallInst* call = builder_.CreateCall(code, args);
  call->setDoesNotThrow();
  call->setDoesNotAccessMemory();
  call->addFnAttr(llvm::Attribute::WillReturn);
  return call;
}

llvm::Value* Lowerer::memory_asm(llvm::Type* result, llvm::StringRef text,
                                 llvm::ArrayRef<llvm::Value*> args, bool early) {
  std::string all = constraints(result, args, early);
  all += all.empty() ? "~{memory}" : ",~{memory}";
  auto* code = llvm::InlineAsm::get(signature(result, args), text, all, /*hasSideEffects=*/true);
  llvm::CallInst* call = builder_.CreateCall(code, args);
  call->setDoesNotThrow();
  return call;
}

llvm::Value* Lowerer::warp_asm(llvm::Type* result, llvm::StringRef text,
                               llvm::ArrayRef<llvm::Value*> args, bool memory) {
  llvm::Value* v = memory ? memory_asm(result, text, args) : pure_asm(result, text, args);
  llvm::cast<llvm::CallInst>(v)->setConvergent();
  return v;
}

Values Lowerer::tied_asm(llvm::StringRef text, llvm::ArrayRef<llvm::Value*> tied,
                         llvm::ArrayRef<llvm::Value*> args) {
  llvm::SmallVector<llvm::Type*, 64> types;
  for (llvm::Value* v : tied) types.push_back(v->getType());
  llvm::Type* result = builder_.getVoidTy();
  if (tied.size() == 1) result = types[0];
  if (tied.size() > 1) result = llvm::StructType::get(module_->getContext(), types);
  std::string all = constraints(result, args, false);
  for (std::size_t i = 0; i < tied.size(); ++i) all += "," + std::to_string(i);
  all += all.empty() ? "~{memory}" : ",~{memory}";
  llvm::SmallVector<llvm::Value*, 64> in(args);
  in.append(tied.begin(), tied.end());
  auto* code = llvm::InlineAsm::get(signature(result, in), text, all, /*hasSideEffects=*/true);
  llvm::CallInst* call = builder_.CreateCall(code, in);
  call->setDoesNotThrow();
  call->setConvergent();
  Values out;
  if (tied.size() == 1) out.push_back(call);
  for (unsigned i = 0; tied.size() > 1 && i < tied.size(); ++i)
    out.push_back(builder_.CreateExtractValue(call, i));
  return out;
}

}  // namespace barline::codegen
