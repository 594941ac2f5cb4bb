// SPDX-License-Identifier: Apache-2.0
// Arithmetic: the host's meaning of each op is ir/numerics.h; here it is spread over lanes.
#include "verify/interp/elementwise.h"

namespace barline::verify::sim {
namespace {

struct AddLane {
  template <class T>
  requires requires(T x) { num::add(x, x); }
  T operator()(T a, T b) const { return num::add(a, b); }
};
struct SubLane {
  template <class T>
  requires requires(T x) { num::sub(x, x); }
  T operator()(T a, T b) const { return num::sub(a, b); }
};
struct MulLane {
  template <class T>
  requires requires(T x) { num::mul(x, x); }
  T operator()(T a, T b) const { return num::mul(a, b); }
};
struct MulHiLane {
  template <num::Integer T>
  requires(sizeof(T) >= 4) T operator()(T a, T b) const { return num::mul_hi(a, b); }
};
struct DivLane {
  template <class T>
  requires requires(T x) { num::div(x, x); }
  T operator()(T a, T b) const { return num::div(a, b); }
};
struct RemLane {
  template <num::Integer T>
  T operator()(T a, T b) const {
    return num::rem(a, b);
  }
};
struct FmaLane {
  template <num::Float T>
  T operator()(T a, T b, T c) const {
    return num::fma(a, b, c);
  }
};
struct NegLane {
  template <class T>
  requires requires(T x) { num::neg(x); }
  T operator()(T a) const { return num::neg(a); }
};
struct AbsLane {
  template <class T>
  requires requires(T x) { num::abs(x); }
  T operator()(T a) const { return num::abs(a); }
};
struct MinLane {
  template <class T>
  requires requires(T x) { num::min(x, x); }
  T operator()(T a, T b) const { return num::min(a, b); }
};
struct MaxLane {
  template <class T>
  requires requires(T x) { num::max(x, x); }
  T operator()(T a, T b) const { return num::max(a, b); }
};
struct SqrtLane {
  template <num::Float T>
  T operator()(T a) const {
    return num::sqrt(a);
  }
};
template <ir::Rounding R>
struct RoundLane {
  template <std::floating_point T>
  T operator()(T a) const {
    return num::round_to_integral(a, R);
  }
  template <ir::SmallFloat T>
  T operator()(T a) const {
    return num::from_f64<T>(num::round_to_integral(num::widen(a), R));
  }
};

/// Traps where an active lane divides an integer by zero.
template <class T>
void trap_on_zero(Warp& w, const Inst& i) {
  for (std::uint32_t e = 0; e < i.n; ++e) {
    const T* divisor = w.at<T>(i.b, e);
    for_each_lane(w.mask, [&](int l) {
      if (divisor[l] == 0) halt(w, l, FindingKind::Trap, "an integer is divided by zero");
    });
  }
}

void guard_division(Compiler& c, const Operation& op) {
  with_elem(c.elem(op.in[1]), [&](auto as) {
    using T = typename decltype(as)::type;
    if constexpr (num::Integer<T>) {
      std::uint32_t n = c.count(c.type(op.in[1]));
      c.emit({.run = &trap_on_zero<T>, .b = c.in(op.in[1]), .n = n});
    }
  });
}

}  // namespace

void mean(Tag<Op::Add>, Compiler& c, const Operation& op) { binary<AddLane>(c, op); }
void mean(Tag<Op::Sub>, Compiler& c, const Operation& op) { binary<SubLane>(c, op); }
void mean(Tag<Op::Mul>, Compiler& c, const Operation& op) { binary<MulLane>(c, op); }
void mean(Tag<Op::MulHi>, Compiler& c, const Operation& op) { binary<MulHiLane>(c, op); }
void mean(Tag<Op::Div>, Compiler& c, const Operation& op) {
  guard_division(c, op);
  binary<DivLane>(c, op);
}
void mean(Tag<Op::Rem>, Compiler& c, const Operation& op) {
  guard_division(c, op);
  binary<RemLane>(c, op);
}
void mean(Tag<Op::Fma>, Compiler& c, const Operation& op) {
  with_elem(c.elem(op.in[0]), [&](auto as) {
    using T = typename decltype(as)::type;
    if constexpr (std::invocable<FmaLane, T, T, T>)
      elementwise(c, op, &run_ternary<T, T, T, T, FmaLane>);
    else
      c.refuse(op, "no meaning for this element type");
  });
}
void mean(Tag<Op::Neg>, Compiler& c, const Operation& op) { unary<NegLane>(c, op); }
void mean(Tag<Op::Abs>, Compiler& c, const Operation& op) { unary<AbsLane>(c, op); }
void mean(Tag<Op::Min>, Compiler& c, const Operation& op) { binary<MinLane>(c, op); }
void mean(Tag<Op::Max>, Compiler& c, const Operation& op) { binary<MaxLane>(c, op); }
void mean(Tag<Op::Sqrt>, Compiler& c, const Operation& op) { unary<SqrtLane>(c, op); }
void mean(Tag<Op::Round>, Compiler& c, const Operation& op) {
  using ir::Rounding;
  switch (op.attr_as<Rounding>(ir::Key::Round)) {
    case Rounding::Rn: return unary<RoundLane<Rounding::Rn>>(c, op);
    case Rounding::Rz: return unary<RoundLane<Rounding::Rz>>(c, op);
    case Rounding::Rm: return unary<RoundLane<Rounding::Rm>>(c, op);
    case Rounding::Rp: return unary<RoundLane<Rounding::Rp>>(c, op);
    case Rounding::Rna: return unary<RoundLane<Rounding::Rna>>(c, op);
  }
}

}  // namespace barline::verify::sim
