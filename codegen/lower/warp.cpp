// SPDX-License-Identifier: Apache-2.0
// Ops that a whole warp or block reaches together. The block is a whole number of warps wherever
// one of them stands, so the member mask is always full.
#include <llvm/IR/IntrinsicsNVPTX.h>

#include <string>

#include "codegen/lower/floats_p.h"
#include "codegen/lower/ops_p.h"

namespace barline::codegen {
namespace {

using ir::ShuffleMode;

llvm::Value* shuffle32(Lowerer& l, ShuffleMode mode, llvm::Value* word, llvm::Value* n) {
  using namespace llvm::Intrinsic;
  constexpr ID ids[] = {nvvm_shfl_sync_bfly_i32, nvvm_shfl_sync_up_i32, nvvm_shfl_sync_down_i32,
                        nvvm_shfl_sync_idx_i32};
  const int clamp = mode == ShuffleMode::Up ? 0 : 31;
  return l.intrinsic(ids[static_cast<int>(mode)],
                     {l.integer(32, ~0u), word, n, l.integer(32, clamp)});
}

/// A value of up to 64 bits through one or two shuffles.
llvm::Value* shuffle(Lowerer& l, ShuffleMode mode, llvm::Value* bits, llvm::Value* n) {
  auto& b = l.b();
  const unsigned width = bits->getType()->getIntegerBitWidth();
  llvm::Type* word = l.int_type(32);
  if (width <= 32)
    return b.CreateZExtOrTrunc(shuffle32(l, mode, b.CreateZExtOrTrunc(bits, word), n),
                               l.int_type(width));
  llvm::Value* low = shuffle32(l, mode, b.CreateTrunc(bits, word), n);
  llvm::Value* high = shuffle32(l, mode, b.CreateTrunc(b.CreateLShr(bits, 32), word), n);
  return b.CreateOr(b.CreateZExt(low, l.int_type(64)),
                    b.CreateShl(b.CreateZExt(high, l.int_type(64)), 32));
}

llvm::Value* lane_meant(Lowerer& l, ShuffleMode mode, llvm::Value* n) {
  llvm::Value* lane = l.b().CreateAnd(l.thread_rank(), l.integer(32, 31));
  switch (mode) {
    case ShuffleMode::Xor: return l.b().CreateXor(lane, n);
    case ShuffleMode::Up: return l.b().CreateSub(lane, n);
    case ShuffleMode::Down: return l.b().CreateAdd(lane, n);
    case ShuffleMode::Index: break;
  }
  return n;
}

}  // namespace

void lower(ir::Tag<ir::Op::Shuffle>, Lowerer& l, const ir::Operation& op) {
  const auto mode = op.attr_as<ShuffleMode>(ir::Key::Mode);
  const ir::Elem e = l.elem(op.in[0]);
  llvm::Value* own = to_bits(l, l.value(op.in[0]));
  llvm::Value* n = l.b().CreateSExtOrTrunc(l.value(op.in[1]), l.int_type(32));
  const std::optional<std::int64_t> fixed = l.constant(op.in[1]);
  if (mode == ShuffleMode::Index || (fixed && *fixed >= 0 && *fixed < 32))
    return l.result(op, from_bits(l, shuffle(l, mode, own, n), e));
  // The instruction takes n mod 32. Any other n: name the lane, and ask whether there is one.
  llvm::Value* from = lane_meant(l, mode, n);
  llvm::Value* r = shuffle(l, ShuffleMode::Index, own, from);
  r = l.b().CreateSelect(l.b().CreateICmpULT(from, l.integer(32, 32)), r, own);
  l.result(op, from_bits(l, r, e));
}

void lower(ir::Tag<ir::Op::Vote>, Lowerer& l, const ir::Operation& op) {
  using namespace llvm::Intrinsic;
  constexpr ID ids[] = {nvvm_vote_all_sync, nvvm_vote_any_sync, nvvm_vote_ballot_sync};
  llvm::Value* mask = l.integer(32, ~0u);
  l.result(op, l.intrinsic(ids[op.attr(ir::Key::Vote)], {mask, l.value(op.in[0])}));
}

void lower(ir::Tag<ir::Op::WarpSync>, Lowerer& l, const ir::Operation&) {
  l.intrinsic(llvm::Intrinsic::nvvm_bar_warp_sync, {l.integer(32, ~0u)});
}

void lower(ir::Tag<ir::Op::Barrier>, Lowerer& l, const ir::Operation& op) {
  if (const ir::Attr* pending = op.find(ir::Key::Pending))
    l.memory_asm(l.b().getVoidTy(), "cp.async.wait_group " + std::to_string(pending->value) + ";",
                 {});
  if (const ir::Attr* warps = op.find(ir::Key::Warps))
    l.warp_asm(l.b().getVoidTy(),
               "bar.sync " + std::to_string(op.attr(ir::Key::Id)) + ", " +
                   std::to_string(warps->value * 32) + ";",
               {}, true);
  else
    l.intrinsic(llvm::Intrinsic::nvvm_barrier0, {});
}

}  // namespace barline::codegen
