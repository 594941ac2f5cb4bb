// SPDX-License-Identifier: Apache-2.0
// Vectors stand in registers element after element, so packing and extracting are copies. A bitcast
// between vectors goes through the bits of all elements together, the first lowest.
#include "verify/interp/elementwise.h"

namespace barline::verify::sim {
namespace {

/// The low `bits` of a register.
std::uint64_t low(std::uint64_t v, int bits) {
  return bits == 64 ? v : v & ((std::uint64_t{1} << bits) - 1);
}

/// imm: bits of a source element, then (from bit 8) of a result's.
template <class To, class From>
void run_regroup(Warp& w, const Inst& i) {
  const int from = static_cast<int>(i.imm & 0xff), to = static_cast<int>(i.imm >> 8);
  for (std::uint32_t e = 0; e < i.n; ++e) {
    To* r = w.at<To>(i.out, e);
    if (from <= to) {
      const std::uint32_t each = static_cast<std::uint32_t>(to / from);
      std::fill(r, r + lanes, To{0});
      for (std::uint32_t j = 0; j < each; ++j) {
        const From* a = w.at<From>(i.a, e * each + j);
        const int shift = from * static_cast<int>(j);
        for (int l = 0; l < lanes; ++l) r[l] = static_cast<To>(r[l] | low(a[l], from) << shift);
      }
    } else {
      const std::uint32_t each = static_cast<std::uint32_t>(from / to);
      const From* a = w.at<From>(i.a, e / each);
      const int shift = to * static_cast<int>(e % each);
      for (int l = 0; l < lanes; ++l) r[l] = static_cast<To>(low(std::uint64_t{a[l]} >> shift, to));
    }
  }
}

}  // namespace

void mean(Tag<Op::Pack>, Compiler& c, const Operation& op) {
  Operand out = c.define(op.out[0]);
  ir::Elem e = c.elem(op.out[0]);
  for (ir::ValueId v : op.in) {
    std::uint32_t n = c.count(c.type(v));
    c.copy(c.in(v), out, e, n, false);
    out.at += n * lanes * static_cast<std::uint32_t>(ir::bytes(e));
  }
}

void mean(Tag<Op::Extract>, Compiler& c, const Operation& op) {
  Operand from = c.in(op.in[0]);
  ir::Elem e = c.elem(op.out[0]);
  from.at += static_cast<std::uint32_t>(op.attr(ir::Key::Index)) * from.step * lanes * ir::bytes(e);
  c.copy(from, c.define(op.out[0]), e, c.count(c.type(op.out[0])), false);
}

void regroup(Compiler& c, const Operation& op) {
  ir::Elem from = c.elem(op.in[0]), to = c.elem(op.out[0]);
  std::uint32_t n = c.count(c.type(op.out[0]));
  Operand a = c.in(op.in[0]);
  with_width(to, [&](auto as_to) {
    using To = typename decltype(as_to)::type;
    with_width(from, [&](auto as_from) {
      using From = typename decltype(as_from)::type;
      c.emit({.run = &run_regroup<To, From>,
              .out = c.define(op.out[0]),
              .a = a,
              .n = n,
              .weight = n,
              .imm = ir::bits(from) | std::int64_t{ir::bits(to)} << 8});
    });
  });
}

}  // namespace barline::verify::sim
