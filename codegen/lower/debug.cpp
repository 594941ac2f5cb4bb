// SPDX-License-Identifier: Apache-2.0
// Print and check: calls of the device's vprintf, whose arguments stand in a buffer of 8-byte
// entries. They are gone unless the kernel is built for debugging, so their cost does not matter.
#include <fmt/format.h>
#include <llvm/IR/Constants.h>

#include "codegen/lower/floats_p.h"
#include "codegen/lower/ops_p.h"

namespace barline::codegen {
namespace {

/// A text that printf takes as it is.
std::string escaped(std::string_view text) {
  std::string out;
  for (char c : text) out += c == '%' ? std::string("%%") : std::string(1, c);
  return out;
}

std::string place_of(const ir::Operation& op) {
  return op.loc ? fmt::format("{}:{}", op.loc.file, op.loc.line) : std::string("unknown place");
}

/// A generic pointer to a constant C string.
llvm::Value* text(Lowerer& l, const std::string& s) {
  llvm::LLVMContext& c = l.module().getContext();
  auto* bytes = llvm::ConstantDataArray::getString(c, s);
  auto* global = new llvm::GlobalVariable(l.module(), bytes->getType(), true,
                                          llvm::GlobalValue::InternalLinkage, bytes, "barline_text",
                                          nullptr, llvm::GlobalValue::NotThreadLocal, 1);
  return l.b().CreateAddrSpaceCast(global, llvm::PointerType::get(c, 0));
}

/// The value as a 64-bit integer or double, and how printf spells it.
std::pair<llvm::Value*, const char*> printable(Lowerer& l, ir::ValueId id) {
  const ir::Elem e = l.elem(id);
  llvm::Value* v = l.value(id);
  auto& b = l.b();
  const bool is_float =
      ir::is_float(e) || e == ir::Elem::E4M3 || e == ir::Elem::E5M2 || e == ir::Elem::E2M1;
  if (is_float) return {b.CreateFPExt(widen(l, v, e), b.getDoubleTy()), "%.9g"};
  if (e == ir::Elem::S4) v = b.CreateAShr(b.CreateShl(v, 4), 4);
  if (ir::is_signed(e) || e == ir::Elem::S4) return {b.CreateSExt(v, l.int_type(64)), "%lld"};
  return {b.CreateZExt(v, l.int_type(64)), "%llu"};
}

/// Room for 8 arguments; in the entry block, so that a print in a loop does not grow the stack.
llvm::Value* argument_buffer(Lowerer& l) {
  llvm::IRBuilderBase::InsertPointGuard guard(l.b());
  llvm::BasicBlock& entry = l.function().getEntryBlock();
  l.b().SetInsertPoint(&entry, entry.begin());
  return l.b().CreateAlloca(l.int_type(64), l.integer(32, 8));
}

void call_vprintf(Lowerer& l, llvm::Value* format, llvm::Value* arguments) {
  llvm::Type* pointer = llvm::PointerType::get(l.module().getContext(), 0);
  auto* type = llvm::FunctionType::get(l.int_type(32), {pointer, pointer}, false);
  l.b().CreateCall(l.module().getOrInsertFunction("vprintf", type), {format, arguments});
}

}  // namespace

void lower(ir::Tag<ir::Op::Print>, Lowerer& l, const ir::Operation& op) {
  auto& b = l.b();
  const ir::Attr* message = op.find(ir::Key::Message);
  std::string format = escaped(fmt::format("{} ({})", message ? message->text : "", place_of(op)));
  llvm::Value* buffer = argument_buffer(l);
  for (std::size_t i = 0; i < op.in.size(); ++i) {
    auto [value, spelling] = printable(l, op.in[i]);
    const std::string& called = l.kernel().values[op.in[i]].name;
    format += fmt::format(" {}{}{}", escaped(called), called.empty() ? "" : "=", spelling);
    b.CreateStore(value, b.CreateConstGEP1_32(l.int_type(64), buffer, i));
  }
  call_vprintf(l, text(l, format + "\n"), buffer);
}

void lower(ir::Tag<ir::Op::Check>, Lowerer& l, const ir::Operation& op) {
  auto& b = l.b();
  llvm::BasicBlock *broken = l.new_block("broken"), *fine = l.new_block("fine");
  b.CreateCondBr(l.value(op.in[0]), fine, broken);
  b.SetInsertPoint(broken);
  const ir::Attr* message = op.find(ir::Key::Message);
  const std::string what =
      fmt::format("check failed: {} ({})\n", message ? message->text : "", place_of(op));
  call_vprintf(l, text(l, escaped(what)),
               llvm::ConstantPointerNull::get(llvm::PointerType::get(l.module().getContext(), 0)));
  l.intrinsic(llvm::Intrinsic::trap, {});
  b.CreateUnreachable();
  b.SetInsertPoint(fine);
}

void lower(ir::Tag<ir::Op::Leave>, Lowerer& l, const ir::Operation&) {
  l.memory_asm(l.b().getVoidTy(), "exit;", {});
}

}  // namespace barline::codegen
