// SPDX-License-Identifier: Apache-2.0
// Comparison, choice and conversion. A cast goes through the widest type of its source's class
// (s64, u64 or f64, all exact), except for the pairs that kernels use most.
#include <utility>

#include "verify/interp/elementwise.h"

namespace barline::verify::sim {
namespace {

using ir::Compare;
using ir::Elem;
using ir::Rounding;

/// A lane's value as a type that C++ compares.
template <class T>
requires std::is_arithmetic_v<T> T ordered_value(T a) { return a; }
template <class T>
requires(ir::SmallFloat<T> || ir::TinyFloat<T>) float ordered_value(T a) { return num::to_f32(a); }
inline int ordered_value(s4_t a) { return static_cast<std::int8_t>(a.bits << 4) >> 4; }
inline int ordered_value(u4_t a) { return a.bits & 15; }

template <Compare P>
struct CmpLane {
  template <class T>
  requires requires(T x) { ordered_value(x); }
  i1_t operator()(T x, T y) const {
    auto a = ordered_value(x), b = ordered_value(y);
    bool r = P == Compare::Eq   ? a == b
             : P == Compare::Ne ? a != b
             : P == Compare::Lt ? a < b
             : P == Compare::Le ? a <= b
             : P == Compare::Gt ? a > b
                                : a >= b;
    return {static_cast<std::uint8_t>(r)};
  }
  i1_t operator()(i1_t a, i1_t b) const requires(P == Compare::Eq || P == Compare::Ne) {
    return {static_cast<std::uint8_t>(((a.bits ^ b.bits) & 1) == (P == Compare::Ne))};
  }
};

struct SelectLane {
  template <class T>
  T operator()(i1_t c, T a, T b) const {
    return c ? a : b;
  }
};

struct SameBits {
  template <class T>
  T operator()(T a) const {
    return a;
  }
};

/// The widest type of a type's class; every value survives the way there.
template <class T>
auto widest(T a) {
  if constexpr (std::same_as<T, i1_t>)
    return std::uint64_t{a.bits} & 1;
  else if constexpr (std::same_as<T, s4_t>)
    return static_cast<std::int64_t>(static_cast<std::int8_t>(a.bits << 4) >> 4);
  else if constexpr (std::same_as<T, u4_t>)
    return std::uint64_t{a.bits} & 15;
  else if constexpr (std::signed_integral<T>)
    return static_cast<std::int64_t>(a);
  else if constexpr (std::unsigned_integral<T>)
    return static_cast<std::uint64_t>(a);
  else
    return num::to_f64(a);
}

template <class T>
using Widest = decltype(widest(T{}));

struct CastMode {
  Rounding round = Rounding::Rn;
  bool saturate = false;
};

/// An integer to an integer of at least 8 bits: wraps, or clamps to the target's range.
template <num::Integer T, num::Integer W>
T to_integer(W a, CastMode mode) {
  if (mode.saturate) {
    using Limits = std::numeric_limits<T>;
    if (std::cmp_less(a, Limits::min())) return Limits::min();
    if (std::cmp_greater(a, Limits::max())) return Limits::max();
  }
  return static_cast<T>(a);
}

/// The low 4 bits, or clamped to their range; floats round and clamp first.
template <bool IsSigned, class W>
nibble_t<IsSigned> to_nibble(W a, CastMode mode) {
  using I = std::conditional_t<IsSigned, std::int8_t, std::uint8_t>;
  constexpr I low = IsSigned ? -8 : 0, high = IsSigned ? 7 : 15;
  if constexpr (std::floating_point<W>)
    return {std::uint8_t(std::clamp(num::to_int<I>(a, mode.round), low, high) & 15)};
  else if (mode.saturate)
    return {std::uint8_t(std::clamp(to_integer<I>(a, mode), low, high) & 15)};
  else
    return {std::uint8_t(a & 15)};
}

template <class T, class W>
T narrow_to(W a, CastMode mode) {
  auto overflow = mode.saturate ? ir::Overflow::Saturate : ir::Overflow::Infinity;
  if constexpr (std::same_as<T, i1_t>) {
    if constexpr (std::integral<W>)
      return {static_cast<std::uint8_t>(a & 1)};
    else
      return {static_cast<std::uint8_t>(a != 0)};
  } else if constexpr (std::same_as<T, s4_t> || std::same_as<T, u4_t>) {
    return to_nibble<std::same_as<T, s4_t>>(a, mode);
  } else if constexpr (num::Integer<T>) {
    if constexpr (std::floating_point<W>)
      return num::to_int<T>(a, mode.round);
    else
      return to_integer<T>(a, mode);
  } else if constexpr (ir::TinyFloat<T>) {
    if constexpr (std::floating_point<W>)
      return {num::narrow<T>(a, mode.round, ir::Overflow::Saturate)};
    else
      return {num::narrow<T>(num::from_int<double>(a, Rounding::Rz), mode.round,
                             ir::Overflow::Saturate)};
  } else if constexpr (std::integral<W>) {
    T r = num::from_int<T>(a, mode.round);
    if constexpr (std::same_as<T, ir::f16_t>)  // the one type that an integer can leave
      if (mode.saturate && (r.bits & 0x7fff) == ir::Format<T>::infinity) --r.bits;
    return r;
  } else if constexpr (std::same_as<T, double>) {
    return num::canonical(a);
  } else {
    return std::bit_cast<T>(num::narrow<T>(a, mode.round, overflow));
  }
}

CastMode mode_of(const Inst& i) { return {static_cast<Rounding>(i.imm & 0xff), (i.imm >> 8) != 0}; }

template <class From>
void run_widen(Warp& w, const Inst& i) {
  for (std::uint32_t e = 0; e < i.n; ++e) {
    Widest<From>* r = w.at<Widest<From>>(i.out, e);
    const From* a = w.at<From>(i.a, e);
    for (int l = 0; l < lanes; ++l) r[l] = widest(a[l]);
  }
}

template <class To, class Wide>
void run_narrow(Warp& w, const Inst& i) {
  CastMode mode = mode_of(i);
  for (std::uint32_t e = 0; e < i.n; ++e) {
    To* r = w.at<To>(i.out, e);
    const Wide* a = w.at<Wide>(i.a, e);
    for (int l = 0; l < lanes; ++l) r[l] = narrow_to<To>(a[l], mode);
  }
}

struct ToF32Lane {
  template <class T>
  requires requires(T a) { num::to_f32(a); }
  float operator()(T a) const { return num::to_f32(a); }
};
struct ToF16Lane {
  ir::f16_t operator()(float a) const { return num::to_f16(a); }
};
struct ToBf16Lane {
  ir::bf16_t operator()(float a) const { return num::to_bf16(a); }
};
template <class To>
struct PlainCastLane {
  template <class T>
  To operator()(T a) const {
    return static_cast<To>(a);
  }
};

/// One loop for the most used pairs, or null. Their result does not depend on `mode`, or it is rn
/// without saturation.
Execute direct_cast(Elem from, Elem to, CastMode mode) {
  bool plain = mode.round == Rounding::Rn && !mode.saturate;
  if (to == Elem::F32 && from == Elem::F16) return &run_unary<float, ir::f16_t, ToF32Lane>;
  if (to == Elem::F32 && from == Elem::BF16) return &run_unary<float, ir::bf16_t, ToF32Lane>;
  if (to == Elem::F32 && from == Elem::E4M3) return &run_unary<float, ir::e4m3_t, ToF32Lane>;
  if (to == Elem::F16 && from == Elem::F32 && plain) return &run_unary<ir::f16_t, float, ToF16Lane>;
  if (to == Elem::BF16 && from == Elem::F32 && plain)
    return &run_unary<ir::bf16_t, float, ToBf16Lane>;
  if (to == Elem::F32 && from == Elem::S32 && plain)
    return &run_unary<float, std::int32_t, PlainCastLane<float>>;
  if (to == Elem::F32 && from == Elem::S8)
    return &run_unary<float, std::int8_t, PlainCastLane<float>>;
  if (to == Elem::S64 && from == Elem::S32)
    return &run_unary<std::int64_t, std::int32_t, PlainCastLane<std::int64_t>>;
  if ((to == Elem::S32 || to == Elem::U32) && (from == Elem::S32 || from == Elem::U32) && plain)
    return &run_unary<std::uint32_t, std::uint32_t, SameBits>;
  return nullptr;
}

template <class T>
Elem widest_elem() {
  using W = Widest<T>;
  return std::same_as<W, double>         ? Elem::F64
         : std::same_as<W, std::int64_t> ? Elem::S64
                                         : Elem::U64;
}

}  // namespace

void mean(Tag<Op::Cmp>, Compiler& c, const Operation& op) {
  switch (op.attr_as<Compare>(ir::Key::Pred)) {
    case Compare::Eq: return binary<CmpLane<Compare::Eq>>(c, op);
    case Compare::Ne: return binary<CmpLane<Compare::Ne>>(c, op);
    case Compare::Lt: return binary<CmpLane<Compare::Lt>>(c, op);
    case Compare::Le: return binary<CmpLane<Compare::Le>>(c, op);
    case Compare::Gt: return binary<CmpLane<Compare::Gt>>(c, op);
    case Compare::Ge: return binary<CmpLane<Compare::Ge>>(c, op);
  }
}

void mean(Tag<Op::Select>, Compiler& c, const Operation& op) {
  with_width(c.elem(op.out[0]), [&](auto as) {
    using T = typename decltype(as)::type;
    elementwise(c, op, &run_ternary<T, i1_t, T, T, SelectLane>);
  });
}

void mean(Tag<Op::Bitcast>, Compiler& c, const Operation& op) {
  if (ir::bits(c.elem(op.in[0])) != ir::bits(c.elem(op.out[0]))) return regroup(c, op);
  with_width(c.elem(op.out[0]), [&](auto as) {
    using T = typename decltype(as)::type;
    elementwise(c, op, &run_unary<T, T, SameBits>);
  });
}

void mean(Tag<Op::Cast>, Compiler& c, const Operation& op) {
  CastMode mode{op.attr_as<Rounding>(ir::Key::Round), op.attr(ir::Key::Saturate) != 0};
  Elem from = c.elem(op.in[0]), to = c.elem(op.out[0]);
  if (from == to) return mean(Tag<Op::Bitcast>{}, c, op);
  if (Execute direct = direct_cast(from, to, mode)) return elementwise(c, op, direct);
  std::uint32_t n = c.count(c.type(op.out[0]));
  std::int64_t imm = static_cast<std::int64_t>(mode.round) | std::int64_t{mode.saturate} << 8;
  with_elem(from, [&](auto as_from) {
    using From = typename decltype(as_from)::type;
    using Wide = Widest<From>;
    Operand wide = c.temporary(widest_elem<From>(), n);
    c.emit({.run = &run_widen<From>, .out = wide, .a = spread(c, op.in[0], n), .n = n});
    Operand out = c.define(op.out[0]);
    with_elem(to, [&](auto as_to) {
      using To = typename decltype(as_to)::type;
      c.emit(
          {.run = &run_narrow<To, Wide>, .out = out, .a = wide, .n = n, .weight = n, .imm = imm});
    });
    c.release(wide);
  });
}

}  // namespace barline::verify::sim
