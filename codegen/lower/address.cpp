// SPDX-License-Identifier: Apache-2.0
#include "codegen/lower/address_p.h"

#include <fmt/format.h>

#include <cstdint>

#include "codegen/lower/ops_p.h"

namespace barline::codegen {
namespace {

/// Both ptxas and the hardware take fewer bits than PTX promises; far offsets go into the register.
constexpr std::int64_t far = std::int64_t{1} << 23;

llvm::Value* extend_index(Lowerer& l, ir::ValueId index, bool shared) {
  llvm::Type* t = l.int_type(shared ? 32 : 64);
  llvm::Value* v = l.value(index);
  return ir::is_signed(l.elem(index)) ? l.b().CreateSExtOrTrunc(v, t)
                                      : l.b().CreateZExtOrTrunc(v, t);
}

/// Byte offset of an element index; nibbles share a byte.
llvm::Value* scaled(Lowerer& l, llvm::Value* index, int bits, bool shared) {
  if (bits < 8) return l.b().CreateAShr(index, 1);
  if (bits == 8) return index;
  return l.b().CreateMul(index, l.integer(shared ? 32 : 64, bits / 8));
}

}  // namespace

std::string Address::text(int operand, std::int64_t more) const {
  const std::int64_t n = offset + more;
  return n ? fmt::format("[${}+{}]", operand, n) : fmt::format("[${}]", operand);
}

Address start_of(Lowerer& l, ir::ValueId root) {
  const bool shared = l.type(root).space == ir::Space::Shared;
  Address a{l.value(root), 0, shared ? "shared" : "global"};
  if (shared) a.offset = ir::slot_offset(l.kernel(), l.slot_of(root));
  return a;
}

Address address(Lowerer& l, const ir::Operation& op, int lanes) {
  const auto usual = [&] {
    return address(l, op.in[0], op.in[1], op.attr(ir::Key::Offset), lanes);
  };
  if (!l.streams_loads() || !op.is(ir::Op::Load)) return usual();
  const ir::Operation* sum = l.definition(op.in[1]);
  const ir::Operation* last = sum && sum->is(ir::Op::Add) ? l.definition(sum->in[1]) : nullptr;
  const bool narrow = last && last->is(ir::Op::Cast) && ir::bits(l.elem(last->out[0])) == 64 &&
                      l.elem(last->in[0]) == ir::Elem::S32;
  const bool global = l.type(op.in[0]).space == ir::Space::Global;
  if (!narrow || !global || op.find(ir::Key::Order) || ir::bits(l.type(op.in[0]).elem) < 8)
    return usual();
  // A stream's column changes from trip to trip, its row does not: the row's address and the
  // column's bytes make one multiply and add.
  Address a = address(l, op.in[0], sum->in[0], op.attr(ir::Key::Offset), lanes);
  a.base = l.b().CreateAdd(a.base, scaled(l, extend_index(l, last->in[0], false),
                                          ir::bits(l.type(op.in[0]).elem), false));
  return a;
}

Address address(Lowerer& l, ir::ValueId root, ir::ValueId at, std::int64_t elements, int lanes) {
  const ir::Type& pointer = l.type(root);
  const bool shared = pointer.space == ir::Space::Shared;
  const int bits = pointer.elem == ir::Elem::I1 ? 8 : ir::bits(pointer.elem);
  Address a = start_of(l, root);
  llvm::Value* index = nullptr;
  // Shared addresses wrap at 2^32 as their indices do, so a constant term may move out of the
  // index.
  while (shared && bits >= 8 && ir::bits(l.elem(at)) == 32) {
    const ir::Operation* sum = l.definition(at);
    if (!sum || !sum->is(ir::Op::Add) || !l.constant(sum->in[1])) break;
    elements += *l.constant(sum->in[1]);
    at = sum->in[0];
  }
  if (std::optional<std::int64_t> n = l.constant(at))
    elements += *n;
  else
    index = extend_index(l, at, shared);
  // A single nibble's byte depends on the whole sum, not on its parts.
  if (index && bits < 8 && elements % 2 && lanes == 1) {
    index = l.b().CreateAdd(index, l.integer(shared ? 32 : 64, elements));
    elements = 0;
  }
  if (index) a.base = l.b().CreateAdd(a.base, scaled(l, index, bits, shared));
  a.offset += bits < 8 ? elements >> 1 : elements * (bits / 8);
  if (a.offset >= far || a.offset < -far) {
    a.base = l.b().CreateAdd(a.base, l.integer(shared ? 32 : 64, a.offset));
    a.offset = 0;
  }
  return a;
}

std::string scope(const Lowerer& l, const ir::Operation& op) {
  if (!op.find(ir::Key::Scope)) return "gpu";
  const auto s = op.attr_as<ir::MemScope>(ir::Key::Scope);
  if (s == ir::MemScope::Cluster && l.target().capability < 90)
    ir::fail(ir::Diag::TargetFeature, op.loc,
             fmt::format("{} at cluster scope; {} has no clusters", name(op.op), l.target().name),
             "use cta or gpu scope, or leave the target out");
  return std::string(ir::spellings(ir::AttrKind::MemScope)[static_cast<int>(s)]);
}

void lower(ir::Tag<ir::Op::SlotAt>, Lowerer& l, const ir::Operation& op) {
  const ir::Slot& slot = l.kernel().slots[l.kernel().slot_of(op.in[0])];
  llvm::Value* base = l.value(op.in[0]);
  if (slot.copies == 1) return l.result(op, base);
  llvm::Value* use = l.b().CreateZExtOrTrunc(l.value(op.in[1]), l.int_type(32));
  llvm::Value* copy = l.b().CreateURem(use, l.integer(32, slot.copies));
  llvm::Value* offset = l.b().CreateMul(copy, l.integer(32, ir::slot_pitch(slot)));
  l.result(op, l.b().CreateAdd(base, offset));
}

}  // namespace barline::codegen
