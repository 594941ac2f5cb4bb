// SPDX-License-Identifier: Apache-2.0
// The executable meaning of the IR's scalar arithmetic on the host, shared by the CPU simulator,
// constant folding and the references. Floats follow PTX: every result is rounded once to nearest
// even, subnormals are kept, a NaN result is the canonical NaN of its type. Integers: ir/integer.h;
// conversions between float types: ir/half.h. Host code is compiled with -ffp-contract=off.
#pragma once

#include <bit>
#include <cmath>
#include <concepts>
#include <cstdint>
#include <limits>

#include "ir/half.h"
#include "ir/integer.h"

namespace barline::ir::num {

template <class T>
concept Float = std::same_as<T, float> || std::same_as<T, double> || SmallFloat<T>;

// ---- fused multiply-add -------------------------------------------------------------------------

/// a * b + c rounded once, NaN as the host makes it. libm's fma is correct but a call; where the
/// processor has the instruction this is the instruction.
inline float fused(float a, float b, float c) {
#if defined(__x86_64__) && !defined(__FMA__)
  if (__builtin_cpu_supports("fma")) {
    asm("vfmadd231ss %2, %1, %0" : "+x"(c) : "x"(a), "x"(b));
    return c;
  }
#endif
  return std::fma(a, b, c);
}
inline double fused(double a, double b, double c) {
#if defined(__x86_64__) && !defined(__FMA__)
  if (__builtin_cpu_supports("fma")) {
    asm("vfmadd231sd %2, %1, %0" : "+x"(c) : "x"(a), "x"(b));
    return c;
  }
#endif
  return std::fma(a, b, c);
}

/// a + b rounded to odd: of the two doubles around an inexact sum the one with an odd last bit.
/// Rounding that once more to at most 51 bits gives the correctly rounded sum (Boldo, Melquiond).
/// No overflow and no subnormal result may occur.
inline double add_to_odd(double a, double b) {
  const double sum = a + b;
  const double b_part = sum - a;
  const double error = (a - (sum - b_part)) + (b - b_part);  // exact; NaN next to an infinity
  auto bits = std::bit_cast<uint64_t>(sum);
  if ((error < 0 || error > 0) && !(bits & 1)) bits += (error > 0) == (sum > 0) ? 1 : -1;
  return std::bit_cast<double>(bits);
}

// ---- float arithmetic ---------------------------------------------------------------------------

/// f16 and bf16 compute in f64 and round once more. That is innocent for + - * / and sqrt, since
/// f64 has over twice their precision plus two bits; the fused sum is first rounded to odd.
template <SmallFloat T>
constexpr T from_f64(double x) {
  return {narrow<T>(x, Rounding::Rn, Overflow::Infinity)};
}
constexpr double widen(float x) { return x; }
template <SmallFloat T>
constexpr double widen(T x) {
  return to_f32(x);
}

template <std::floating_point T>
constexpr T add(T a, T b) {
  return canonical(a + b);
}
template <std::floating_point T>
constexpr T sub(T a, T b) {
  return canonical(a - b);
}
template <std::floating_point T>
constexpr T mul(T a, T b) {
  return canonical(a * b);
}
template <std::floating_point T>
constexpr T div(T a, T b) {
  return canonical(a / b);
}
template <std::floating_point T>
T sqrt(T a) {
  return canonical(std::sqrt(a));
}
template <std::floating_point T>
T fma(T a, T b, T c) {
  return canonical(fused(a, b, c));
}

template <SmallFloat T>
constexpr T add(T a, T b) {
  return from_f64<T>(widen(a) + widen(b));
}
template <SmallFloat T>
constexpr T sub(T a, T b) {
  return from_f64<T>(widen(a) - widen(b));
}
template <SmallFloat T>
constexpr T mul(T a, T b) {
  return from_f64<T>(widen(a) * widen(b));
}
template <SmallFloat T>
constexpr T div(T a, T b) {
  return from_f64<T>(widen(a) / widen(b));
}
template <SmallFloat T>
T sqrt(T a) {
  return from_f64<T>(std::sqrt(widen(a)));
}
template <SmallFloat T>
T fma(T a, T b, T c) {
  return from_f64<T>(add_to_odd(widen(a) * widen(b), widen(c)));
}

/// The sign bit flipped or cleared; a NaN keeps its payload.
template <Float T>
constexpr T neg(T a) {
  if constexpr (SmallFloat<T>)
    return {uint16_t(a.bits ^ 0x8000)};
  else
    return -a;
}
template <Float T>
constexpr T abs(T a) {
  if constexpr (SmallFloat<T>) {
    return {uint16_t(a.bits & 0x7fff)};
  } else {
    using Bits = typename Format<T>::Bits;
    return std::bit_cast<T>(Bits(std::bit_cast<Bits>(a) & ~Bits(0) >> 1));
  }
}

/// The smaller, -0 below +0; of a number and a NaN the number.
template <std::floating_point T>
constexpr T min(T a, T b) {
  using Bits = typename Format<T>::Bits;
  if (a < b) return a;
  if (b < a) return b;
  if (a == b) return std::bit_cast<T>(Bits(std::bit_cast<Bits>(a) | std::bit_cast<Bits>(b)));
  return canonical(a != a ? b : a);
}
/// The larger, +0 above -0; of a number and a NaN the number.
template <std::floating_point T>
constexpr T max(T a, T b) {
  using Bits = typename Format<T>::Bits;
  if (a > b) return a;
  if (b > a) return b;
  if (a == b) return std::bit_cast<T>(Bits(std::bit_cast<Bits>(a) & std::bit_cast<Bits>(b)));
  return canonical(a != a ? b : a);
}
template <SmallFloat T>
constexpr T min(T a, T b) {
  const float x = to_f32(a), least = min(x, to_f32(b));
  if (least != least) return {Format<T>::nan};
  return std::bit_cast<uint32_t>(x) == std::bit_cast<uint32_t>(least) ? a : b;
}
template <SmallFloat T>
constexpr T max(T a, T b) {
  const float x = to_f32(a), most = max(x, to_f32(b));
  if (most != most) return {Format<T>::nan};
  return std::bit_cast<uint32_t>(x) == std::bit_cast<uint32_t>(most) ? a : b;
}

/// PTX .sat: clamped to [+0, 1]; NaN gives +0.
constexpr float saturate(float x) { return x > 0 ? (x < 1 ? x : 1.0f) : 0.0f; }

/// The integral value that `round` picks, in the same type; keeps the sign of zero.
template <std::floating_point T>
T round_to_integral(T x, Rounding round) {
  switch (round) {
    case Rounding::Rn: return canonical(std::nearbyint(x));
    case Rounding::Rz: return canonical(std::trunc(x));
    case Rounding::Rm: return canonical(std::floor(x));
    case Rounding::Rp: return canonical(std::ceil(x));
    case Rounding::Rna: return canonical(std::round(x));
  }
  return x;
}

// ---- between floats and integers ----------------------------------------------------------------

/// Rounds to an integral value, then saturates at I's range; NaN gives 0. (PTX gives NaN
/// 1 << (width - 1) where the source is f64 or the target 64 bits wide: a lowering selects there.)
template <Integer I>
I to_int(double x, Rounding round = Rounding::Rz) {
  using Limits = std::numeric_limits<I>;
  constexpr double above = 2.0 * double(uint64_t{1} << (Limits::digits - 1));
  if (x != x) return 0;
  if (round != Rounding::Rz) x = round_to_integral(x, round);
  if (x >= above) return Limits::max();
  if (x <= double(Limits::min())) return Limits::min();
  return I(x);
}
template <Integer I>
I to_int(float x, Rounding round = Rounding::Rz) {
  return to_int<I>(double(x), round);
}
template <Integer I, SmallFloat T>
I to_int(T x, Rounding round = Rounding::Rz) {
  return to_int<I>(widen(x), round);
}

/// An integer rounded once to a float type; beyond f16's range to infinity.
template <Float T, Integer I>
constexpr T from_int(I x, Rounding round = Rounding::Rn) {
  if constexpr (std::floating_point<T>)
    if (round == Rounding::Rn) return static_cast<T>(x);
  if (x == 0) return T{};
  const bool negative = x < 0;
  uint64_t magnitude = negative ? uint64_t(0) - uint64_t(x) : uint64_t(x);
  const int zeros = std::countl_zero(magnitude);
  const auto bits = encode<T>(negative, 63 - zeros, magnitude << zeros, round, Overflow::Infinity);
  return std::bit_cast<T>(bits);
}

}  // namespace barline::ir::num
