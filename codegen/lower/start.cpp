// SPDX-License-Identifier: Apache-2.0
// What a kernel does before its body: it takes the addresses of its tensor maps, and makes its
// gates ready.
//
// A map is a parameter in constant memory that no thread writes (.grid_constant of CUDA C++): the
// copy engine reads it through its generic address, so no copy of it may be made.
#include <fmt/format.h>

#include <algorithm>

#include "codegen/lower/lowerer_p.h"

namespace barline::codegen {

void Lowerer::bind_maps() {
  const std::size_t first = function_->arg_size() - maps_.size();
  llvm::LLVMContext& c = module_->getContext();
  llvm::Type* bytes = llvm::ArrayType::get(int_type(8), tensor_map_bytes);
  std::vector<llvm::Metadata*> numbers;
  for (std::size_t i = first; i < function_->arg_size(); ++i) {
    const auto n = static_cast<unsigned>(i);
    function_->addParamAttr(n, llvm::Attribute::getWithByValType(c, bytes));
    function_->addParamAttr(n, llvm::Attribute::getWithAlignment(c, llvm::Align(64)));
    numbers.push_back(llvm::ConstantAsMetadata::get(integer(32, n + 1)));
    map_addresses_.push_back(builder_.CreatePtrToInt(function_->getArg(n), int_type(64)));
  }
  if (maps_.empty()) return;
  llvm::Metadata* operands[] = {llvm::ValueAsMetadata::get(function_),
                                llvm::MDString::get(c, "grid_constant"),
                                llvm::MDNode::get(c, numbers)};
  module_->getOrInsertNamedMetadata("nvvm.annotations")->addOperand(llvm::MDNode::get(c, operands));
}

llvm::Value* Lowerer::map_address(const ir::Operation& copy) {
  const ir::Root root = ir::root_of(k_, defs_, copy.in[2]);
  auto address_of = [&](int param) {
    auto at = std::find(maps_.begin(), maps_.end(), ir::map_of(copy, param));
    return map_addresses_[static_cast<std::size_t>(at - maps_.begin())];
  };
  llvm::Value* chosen = address_of(root.params.back());
  if (root.chosen == ir::no_value) return chosen;
  llvm::Value* index = value(root.chosen);
  for (std::size_t i = root.params.size() - 1; i-- > 0;) {
    llvm::Value* number = llvm::ConstantInt::get(index->getType(), i);
    chosen = builder_.CreateSelect(builder_.CreateICmpEQ(index, number), address_of(root.params[i]),
                                   chosen);
  }
  return chosen;
}

void Lowerer::start_gates() {
  std::string text;
  for (std::size_t i = 0; i < k_.slots.size(); ++i) {
    const ir::Slot& s = k_.slots[i];
    for (int copy = 0; s.is_gate() && copy < s.copies; ++copy)
      text += fmt::format("mbarrier.init.shared::cta.b64 [$0+{}], {};\n\t",
                          ir::slot_offset(k_, static_cast<int>(i)) + copy * ir::slot_pitch(s),
                          s.arrivals);
  }
  if (text.empty()) return;
  llvm::BasicBlock *first = new_block("gates"), *after = new_block("ready");
  builder_.CreateCondBr(builder_.CreateICmpEQ(thread_rank(), integer(32, 0)), first, after);
  builder_.SetInsertPoint(first);
  // The copy engine and, in a cluster, other blocks' threads see the gates ready, too.
  memory_asm(builder_.getVoidTy(), text + "fence.mbarrier_init.release.cluster;",
             {value(k_.slots[0].value)});
  builder_.CreateBr(after);
  builder_.SetInsertPoint(after);
  warp_asm(builder_.getVoidTy(), "bar.sync 0;", {}, true);
}

}  // namespace barline::codegen
