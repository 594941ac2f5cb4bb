// SPDX-License-Identifier: Apache-2.0
// Atomics and fences, all assembly: LLVM 19 drops the order and scope of an atomicrmw and aborts on
// a fence. An atomic whose old value nobody asks for is a red, which need not come back.
#include <fmt/format.h>

#include "codegen/lower/address_p.h"
#include "codegen/lower/ops_p.h"

namespace barline::codegen {
namespace {

using ir::MemOrder;
using ir::RmwKind;

/// "relaxed", "acquire", "release" or "acq_rel"; an atomic is never weak.
std::string order_of(const ir::Operation& op) {
  const auto order = op.attr_as<MemOrder>(ir::Key::Order);
  if (order == MemOrder::Weak) return "relaxed";
  return std::string(ir::spellings(ir::AttrKind::MemOrder)[static_cast<int>(order)]);
}

/// "add.u32", "min.s64", "exch.b32".
std::string operation_of(const ir::Operation& op, ir::Elem e) {
  const auto kind = op.attr_as<RmwKind>(ir::Key::Rmw);
  const int bits = ir::bits(e);
  const char sign = ir::is_signed(e) ? 's' : 'u';
  switch (kind) {
    case RmwKind::Add: return e == ir::Elem::F32 ? "add.f32" : fmt::format("add.u{}", bits);
    case RmwKind::Min: return fmt::format("min.{}{}", sign, bits);
    case RmwKind::Max: return fmt::format("max.{}{}", sign, bits);
    case RmwKind::And: return fmt::format("and.b{}", bits);
    case RmwKind::Or: return fmt::format("or.b{}", bits);
    case RmwKind::Xor: return fmt::format("xor.b{}", bits);
    case RmwKind::Exchange: return fmt::format("exch.b{}", bits);
  }
  return {};
}

}  // namespace

void lower(ir::Tag<ir::Op::Atomic>, Lowerer& l, const ir::Operation& op) {
  const ir::Elem e = l.elem(op.in[2]);
  llvm::Value* value = l.value(op.in[2]);
  const Address a = address(l, op, 1);
  const std::string order = order_of(op), what = operation_of(op, e);
  const bool old_used = !op.out.empty() && l.is_used(op.out[0]);
  const bool has_red = (order == "relaxed" || order == "release") &&
                       op.attr_as<RmwKind>(ir::Key::Rmw) != RmwKind::Exchange;
  const std::string tail = fmt::format("{}.{}.{}.{}", order, scope(l, op), a.space, what);
  if (has_red && !old_used) {
    l.memory_asm(l.b().getVoidTy(), fmt::format("red.{} {}, $1;", tail, a.text(0)),
                 {a.base, value});
    return;
  }
  l.result(op, l.memory_asm(value->getType(), fmt::format("atom.{} $0, {}, $2;", tail, a.text(1)),
                            {a.base, value}));
}

void lower(ir::Tag<ir::Op::AtomicCas>, Lowerer& l, const ir::Operation& op) {
  const int bits = ir::bits(l.elem(op.in[2]));
  const Address a = address(l, op, 1);
  const std::string text = fmt::format("atom.{}.{}.{}.cas.b{} $0, {}, $2, $3;", order_of(op),
                                       scope(l, op), a.space, bits, a.text(1));
  l.result(op,
           l.memory_asm(l.int_type(bits), text, {a.base, l.value(op.in[2]), l.value(op.in[3])}));
}

void lower(ir::Tag<ir::Op::Fence>, Lowerer& l, const ir::Operation& op) {
  l.memory_asm(l.b().getVoidTy(), fmt::format("fence.acq_rel.{};", scope(l, op)), {});
}

}  // namespace barline::codegen
