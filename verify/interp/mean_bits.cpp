// SPDX-License-Identifier: Apache-2.0
// Bit operations on integers and i1.
#include "verify/interp/elementwise.h"

namespace barline::verify::sim {
namespace {

struct AndLane {
  template <num::Integer T>
  T operator()(T a, T b) const {
    return T(a & b);
  }
  i1_t operator()(i1_t a, i1_t b) const { return {std::uint8_t(a.bits & b.bits & 1)}; }
};
struct OrLane {
  template <num::Integer T>
  T operator()(T a, T b) const {
    return T(a | b);
  }
  i1_t operator()(i1_t a, i1_t b) const { return {std::uint8_t((a.bits | b.bits) & 1)}; }
};
struct XorLane {
  template <num::Integer T>
  T operator()(T a, T b) const {
    return T(a ^ b);
  }
  i1_t operator()(i1_t a, i1_t b) const { return {std::uint8_t((a.bits ^ b.bits) & 1)}; }
};
struct NotLane {
  template <num::Integer T>
  T operator()(T a) const {
    return T(~a);
  }
  i1_t operator()(i1_t a) const { return {std::uint8_t(~a.bits & 1)}; }
};
/// The amount is 32 bits wide and unsigned: narrower ones extend, wider ones clamp.
template <num::Integer N>
std::uint32_t amount(N n) {
  using Unsigned = std::make_unsigned_t<N>;
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(static_cast<Unsigned>(n), ~0u));
}
struct ShlLane {
  template <num::Integer T, num::Integer N>
  T operator()(T a, N n) const {
    return num::shl(a, amount(n));
  }
};
struct ShrLane {
  template <num::Integer T, num::Integer N>
  T operator()(T a, N n) const {
    return num::shr(a, amount(n));
  }
};
struct PopcLane {
  template <num::Integer T>
  requires(sizeof(T) >= 4) std::int32_t operator()(T a) const { return num::popc(a); }
};
struct ClzLane {
  template <num::Integer T>
  requires(sizeof(T) >= 4) std::int32_t operator()(T a) const { return num::clz(a); }
};
struct BrevLane {
  template <num::Integer T>
  requires(sizeof(T) >= 4) T operator()(T a) const { return num::brev(a); }
};
struct BytePermuteLane {
  std::uint32_t operator()(std::uint32_t a, std::uint32_t b, std::uint32_t selector) const {
    return num::byte_permute(a, b, selector);
  }
};

template <class F, class T>
void shift_of(Compiler& c, const Operation& op) {
  with_elem(c.elem(op.in[1]), [&](auto as) {
    using N = typename decltype(as)::type;
    if constexpr (num::Integer<T> && num::Integer<N>)
      elementwise(c, op, &run_binary<T, T, N, F>);
    else
      c.refuse(op, "shifts take integers");
  });
}

template <class F>
void shift(Compiler& c, const Operation& op) {
  with_elem(c.elem(op.in[0]), [&](auto as) { shift_of<F, typename decltype(as)::type>(c, op); });
}

}  // namespace

void mean(Tag<Op::And>, Compiler& c, const Operation& op) { binary<AndLane>(c, op); }
void mean(Tag<Op::Or>, Compiler& c, const Operation& op) { binary<OrLane>(c, op); }
void mean(Tag<Op::Xor>, Compiler& c, const Operation& op) { binary<XorLane>(c, op); }
void mean(Tag<Op::Not>, Compiler& c, const Operation& op) { unary<NotLane>(c, op); }
void mean(Tag<Op::Shl>, Compiler& c, const Operation& op) { shift<ShlLane>(c, op); }
void mean(Tag<Op::Shr>, Compiler& c, const Operation& op) { shift<ShrLane>(c, op); }
void mean(Tag<Op::Popc>, Compiler& c, const Operation& op) { unary<PopcLane>(c, op); }
void mean(Tag<Op::Clz>, Compiler& c, const Operation& op) { unary<ClzLane>(c, op); }
void mean(Tag<Op::Brev>, Compiler& c, const Operation& op) { unary<BrevLane>(c, op); }
void mean(Tag<Op::BytePermute>, Compiler& c, const Operation& op) {
  using U = std::uint32_t;
  if (c.elem(op.in[0]) != ir::Elem::U32) c.refuse(op, "byte_permute takes u32");
  elementwise(c, op, &run_ternary<U, U, U, U, BytePermuteLane>);
}

}  // namespace barline::verify::sim
