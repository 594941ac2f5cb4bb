// SPDX-License-Identifier: Apache-2.0
// Gates (mbarriers) and the copies that report to them. Scopes are the default ones, those of the
// block: forms for a whole cluster cost a sixth of the speed of a kernel that needs none.
#include <fmt/format.h>

#include "codegen/lower/address_p.h"
#include "codegen/lower/ops_p.h"

namespace barline::codegen {
namespace {

constexpr int most_box = 256;  // rows or columns of a box

/// Adds the operand of an L2 priority to a copy, where it has one: the modifier and the operand.
std::pair<std::string, std::string> l2_priority(Lowerer& l, const ir::Operation& op,
                                                llvm::SmallVectorImpl<llvm::Value*>& args) {
  const auto hint = op.attr_as<ir::CacheHint>(ir::Key::Cache);
  const char* priority = hint == ir::CacheHint::EvictFirst  ? "evict_first"
                         : hint == ir::CacheHint::EvictLast ? "evict_last"
                                                            : nullptr;
  if (!priority) return {};
  args.push_back(l.pure_asm(
      l.int_type(64), fmt::format("createpolicy.fractional.L2::{}.b64 $0, 1.0;", priority), {}));
  return {".L2::cache_hint", fmt::format(", ${}", args.size() - 1)};
}

void check_box(Lowerer& l, const ir::Operation& op, std::int64_t rows, std::int64_t columns) {
  const ir::Elem e = l.elem(op.in[0]);
  const std::int64_t bytes = columns * ir::bits(e) / 8;
  auto refuse = [&](const std::string& what, const char* fix) {
    ir::fail(
        ir::Diag::BadAttr, op.loc,
        fmt::format("copy_tensor of {} x {} elements of {}: {}", rows, columns, ir::name(e), what),
        fix);
  };
  if (rows < 1 || rows > most_box || columns < 1 || columns > most_box)
    refuse("a box has 1 to 256 rows and columns", "copy several boxes");
  if (ir::bits(e) < 8 || bytes % 16 != 0)
    refuse(fmt::format("a row of {} bytes is no multiple of 16", bytes), "take wider rows");
  if (op.attr(ir::Key::Swizzled) && bytes != 128)
    refuse(fmt::format("rows of {} bytes are swizzled", bytes),
           "take rows of 128 bytes, or do not swizzle");
}

}  // namespace

void lower(ir::Tag<ir::Op::CopyBulk>, Lowerer& l, const ir::Operation& op) {
  const std::int64_t lanes = op.attr(ir::Key::Lanes, 1);
  const std::int64_t bytes = lanes * ir::bits(l.elem(op.in[0])) / 8;
  if (bytes % 16 != 0)
    ir::fail(ir::Diag::BadAttr, op.loc, fmt::format("copy_bulk of {} bytes", bytes),
             "copy a multiple of 16 bytes");
  const Address to = address(l, op, 1), from = address(l, op.in[2], op.in[3], 0, 1),
                gate = start_of(l, op.in[4]);
  llvm::SmallVector<llvm::Value*, 4> args{to.base, from.base, gate.base};
  const auto [modifier, operand] = l2_priority(l, op, args);
  l.memory_asm(l.b().getVoidTy(),
               fmt::format("cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes{} "
                           "{}, {}, {}, {}{};",
                           modifier, to.text(0), from.text(1), bytes, gate.text(2), operand),
               args);
}

void lower(ir::Tag<ir::Op::CopyTensor>, Lowerer& l, const ir::Operation& op) {
  const ir::TensorMap box = ir::map_of(op, 0);
  check_box(l, op, box.rows, box.columns);
  const Address to = address(l, op, 1), gate = start_of(l, op.in[5]);
  llvm::Type* word = l.int_type(32);
  llvm::SmallVector<llvm::Value*, 7> args{
      to.base, l.map_address(op), l.b().CreateSExtOrTrunc(l.value(op.in[4]), word),
      l.b().CreateSExtOrTrunc(l.value(op.in[3]), word), gate.base};
  const bool planes = op.in.size() > 6;
  if (planes) args.push_back(l.b().CreateSExtOrTrunc(l.value(op.in[6]), word));
  const auto [modifier, operand] = l2_priority(l, op, args);
  l.memory_asm(
      l.b().getVoidTy(),
      fmt::format(
          "cp.async.bulk.tensor.{}d.shared::cluster.global.tile.mbarrier::complete_tx::bytes"
          "{} {}, [$1, {{$2, $3{}}}], {}{};",
          planes ? 3 : 2, modifier, to.text(0), planes ? ", $5" : "", gate.text(4), operand),
      args);
}

void lower(ir::Tag<ir::Op::Arrive>, Lowerer& l, const ir::Operation& op) {
  const Address gate = start_of(l, op.in[0]);
  const std::int64_t bytes = op.attr(ir::Key::Bytes);
  const std::string text =
      bytes > 0
          ? fmt::format("mbarrier.arrive.expect_tx.shared::cta.b64 _, {}, {};", gate.text(0), bytes)
          : fmt::format("mbarrier.arrive.shared::cta.b64 _, {};", gate.text(0));
  l.memory_asm(l.b().getVoidTy(), text, {gate.base});
}

void lower(ir::Tag<ir::Op::Await>, Lowerer& l, const ir::Operation& op) {
  const Address gate = start_of(l, op.in[0]);
  llvm::Value* phase = l.b().CreateSExtOrTrunc(l.value(op.in[1]), l.int_type(32));
  llvm::Value* parity = l.b().CreateAnd(phase, l.integer(32, 1));
  // Braces keep label and predicate to this place.
  l.memory_asm(l.b().getVoidTy(),
               fmt::format("{{\n\t.reg .pred done;\n\t"
                           "wait: mbarrier.try_wait.parity.shared::cta.b64 done, {}, $1;\n\t"
                           "@!done bra wait;\n\t}}",
                           gate.text(0)),
               {gate.base, parity});
}

void lower(ir::Tag<ir::Op::ProxyFence>, Lowerer& l, const ir::Operation&) {
  l.memory_asm(l.b().getVoidTy(), "fence.proxy.async.shared::cta;", {});
}

void lower(ir::Tag<ir::Op::Elect>, Lowerer& l, const ir::Operation& op) {
  l.result(op, l.warp_asm(l.int_type(1), "elect.sync _|$0, 0xffffffff;", {}, false));
}

}  // namespace barline::codegen
