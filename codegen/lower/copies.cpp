// SPDX-License-Identifier: Apache-2.0
// Asynchronous copies from global to shared memory (cp.async), and pointers chosen for a block.
//
//   cp.async.cg.shared.global.L2::128B [to + immediate], [from + immediate], 16, bytes read;
//
// The last operand is there where the copy is masked: of a masked-off one no byte is read, and
// zeros are written. 16 bytes pass by L1 unless they are to be cached there; 4 and 8 know no other
// way than through it.
#include <fmt/format.h>

#include "codegen/lower/address_p.h"
#include "codegen/lower/ops_p.h"

namespace barline::codegen {
namespace {

std::string copy_name(const ir::Operation& op, int bytes) {
  const bool plain = !op.find(ir::Key::Cache);
  const bool all = !plain && op.attr_as<ir::CacheHint>(ir::Key::Cache) == ir::CacheHint::All;
  return fmt::format("cp.async.{}.shared.global{}", bytes == 16 && !all ? "cg" : "ca",
                     plain ? ".L2::128B" : "");
}

}  // namespace

void lower(ir::Tag<ir::Op::Choose>, Lowerer& l, const ir::Operation& op) {
  if (const auto index = l.constant(op.in[0]);
      index && *index >= 0 && *index + 1 < static_cast<std::int64_t>(op.in.size()))
    return l.result(op, l.value(op.in[static_cast<std::size_t>(*index) + 1]));
  llvm::Value* index = l.value(op.in[0]);
  llvm::Value* chosen = l.value(op.in.back());
  for (std::size_t i = op.in.size() - 2; i >= 1; --i) {
    llvm::Value* number = llvm::ConstantInt::get(index->getType(), i - 1);
    chosen = l.b().CreateSelect(l.b().CreateICmpEQ(index, number), l.value(op.in[i]), chosen);
  }
  l.result(op, chosen);
}

void lower(ir::Tag<ir::Op::CopyAsync>, Lowerer& l, const ir::Operation& op) {
  const int lanes = static_cast<int>(op.attr(ir::Key::Lanes, 1));
  const int bytes = lanes * ir::bits(l.elem(op.in[0])) / 8;
  const Address to = address(l, op, lanes), from = address(l, op.in[2], op.in[3], 0, lanes);
  llvm::SmallVector<llvm::Value*, 3> args{to.base, from.base};
  std::string text =
      fmt::format("{} {}, {}, {}", copy_name(op, bytes), to.text(0), from.text(1), bytes);
  if (op.in.size() > 4) {
    text += ", $2";
    args.push_back(l.b().CreateSelect(l.value(op.in[4]), l.integer(32, bytes), l.integer(32, 0)));
  }
  l.memory_asm(l.b().getVoidTy(), text + ";", args);
}

void lower(ir::Tag<ir::Op::CommitCopies>, Lowerer& l, const ir::Operation&) {
  l.memory_asm(l.b().getVoidTy(), "cp.async.commit_group;", {});
}

}  // namespace barline::codegen
