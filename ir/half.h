// SPDX-License-Identifier: Apache-2.0
// The small floating-point types of the IR as host values, and every conversion between float
// types: exact where the target holds the value, otherwise rounded once, subnormals included. NaN
// becomes the target's canonical NaN. Arithmetic on these types is in ir/numerics.h.
#pragma once

#include <bit>
#include <concepts>
#include <cstdint>

#include "ir/attr.h"

namespace barline::ir {

/// What a conversion does with a value beyond the largest finite one: infinity (or, under a
/// directed mode that points inwards, the largest finite value), or PTX's .satfinite.
enum class Overflow : uint8_t { Infinity, Saturate };

struct f16_t {
  uint16_t bits = 0;
  bool operator==(const f16_t&) const = default;  ///< Compares bits, not values.
};
struct bf16_t {
  uint16_t bits = 0;
  bool operator==(const bf16_t&) const = default;
};
/// 4 exponent and 3 mantissa bits; no infinity; NaN is 0x7f.
struct e4m3_t {
  uint8_t bits = 0;
  bool operator==(const e4m3_t&) const = default;
};
struct e5m2_t {
  uint8_t bits = 0;
  bool operator==(const e5m2_t&) const = default;
};
/// Four bits, in the low half of a byte: no infinity and no NaN.
struct e2m1_t {
  uint8_t bits = 0;
  bool operator==(const e2m1_t&) const = default;
};

/// Layout of a binary format. `nan` is canonical, `max_finite` without its sign.
template <class T>
struct Format;
template <>
struct Format<double> {
  using Bits = uint64_t;
  static constexpr int width = 64, mantissa = 52, bias = 1023;
  static constexpr Bits max_finite = 0x7fefffffffffffff, infinity = 0x7ff0000000000000;
  static constexpr Bits nan = 0x7fffffffffffffff;
};
template <>
struct Format<float> {
  using Bits = uint32_t;
  static constexpr int width = 32, mantissa = 23, bias = 127;
  static constexpr Bits max_finite = 0x7f7fffff, infinity = 0x7f800000, nan = 0x7fffffff;
};
template <>
struct Format<f16_t> {
  using Bits = uint16_t;
  static constexpr int width = 16, mantissa = 10, bias = 15;
  static constexpr Bits max_finite = 0x7bff, infinity = 0x7c00, nan = 0x7fff;
};
template <>
struct Format<bf16_t> {
  using Bits = uint16_t;
  static constexpr int width = 16, mantissa = 7, bias = 127;
  static constexpr Bits max_finite = 0x7f7f, infinity = 0x7f80, nan = 0x7fff;
};
template <>
struct Format<e4m3_t> {
  using Bits = uint8_t;
  static constexpr int width = 8, mantissa = 3, bias = 7;
  static constexpr Bits max_finite = 0x7e, infinity = 0x7f, nan = 0x7f;
};
template <>
struct Format<e5m2_t> {
  using Bits = uint8_t;
  static constexpr int width = 8, mantissa = 2, bias = 15;
  static constexpr Bits max_finite = 0x7b, infinity = 0x7c, nan = 0x7f;
};
template <>
struct Format<e2m1_t> {
  using Bits = uint8_t;
  static constexpr int width = 4, mantissa = 1, bias = 1;
  static constexpr Bits max_finite = 7, infinity = 7, nan = 7;
};

template <class T>
concept SmallFloat = std::same_as<T, f16_t> || std::same_as<T, bf16_t>;
template <class T>
concept TinyFloat = std::same_as<T, e4m3_t> || std::same_as<T, e5m2_t> || std::same_as<T, e2m1_t>;

namespace num {

/// `x` unless it is a NaN; then the canonical NaN of its type.
constexpr float canonical(float x) { return x == x ? x : std::bit_cast<float>(Format<float>::nan); }
constexpr double canonical(double x) {
  return x == x ? x : std::bit_cast<double>(Format<double>::nan);
}
template <SmallFloat T>
constexpr T canonical(T x) {
  return (x.bits & 0x7fff) > Format<T>::infinity ? T{Format<T>::nan} : x;
}

/// (-1)^negative * significand * 2^(exponent - 63), rounded to T's format. Bit 63 of `significand`
/// is set; its bit 0 may stand for all lower ones. The bits of the result.
template <class T>
constexpr typename Format<T>::Bits encode(bool negative, int exponent, uint64_t significand,
                                          Rounding round, Overflow overflow) {
  using To = Format<T>;
  int biased = exponent + To::bias;
  int shift = 63 - To::mantissa;
  if (biased < 1) {  // subnormal: fewer bits survive
    shift += 1 - biased;
    biased = 1;
  }
  if (shift > 64) {  // under half of the smallest subnormal
    significand = 1;
    shift = 2;
  } else if (shift == 64) {
    significand = (significand >> 1) | (significand & 1);
    shift = 63;
  }
  const uint64_t rest = significand & ((uint64_t{1} << shift) - 1);
  const uint64_t half = uint64_t{1} << (shift - 1);
  uint64_t kept = significand >> shift;
  bool away = false;
  switch (round) {
    case Rounding::Rn: away = rest > half || (rest == half && (kept & 1)); break;
    case Rounding::Rna: away = rest >= half; break;
    case Rounding::Rz: break;
    case Rounding::Rm: away = negative && rest != 0; break;
    case Rounding::Rp: away = !negative && rest != 0; break;
  }
  kept += away;
  // The leading bit of `kept`, where there is one, adds the missing 1 to the exponent.
  const bool fits = biased < (1 << (To::width - 1 - To::mantissa));
  uint64_t bits = (uint64_t(fits ? biased - 1 : 0) << To::mantissa) + kept;
  if (!fits || bits > To::max_finite) {
    const bool inwards = round == Rounding::Rz || round == (negative ? Rounding::Rp : Rounding::Rm);
    bits = inwards || overflow == Overflow::Saturate ? To::max_finite : To::infinity;
  }
  return typename To::Bits(bits | uint64_t(negative) << (To::width - 1));
}

/// A float or double rounded to a narrower format: its bits. NaN gives the canonical NaN.
template <class T, std::floating_point Source>
constexpr typename Format<T>::Bits narrow(Source x, Rounding round, Overflow overflow) {
  using From = Format<Source>;
  using To = Format<T>;
  const uint64_t bits = std::bit_cast<typename From::Bits>(x);
  const uint64_t magnitude = bits & ((uint64_t{1} << (From::width - 1)) - 1);
  const bool negative = bits >> (From::width - 1);
  // The common case, a value in the normal range of the target, is a few integer operations.
  constexpr int drop = From::mantissa - To::mantissa;
  constexpr uint64_t least = uint64_t(From::bias - To::bias + 1) << From::mantissa;
  constexpr uint64_t span = uint64_t(To::max_finite >> To::mantissa) << From::mantissa;
  if (round == Rounding::Rn && magnitude >= least && magnitude - least < span) {
    const uint64_t rounded =
        magnitude + ((uint64_t{1} << (drop - 1)) - 1) + (magnitude >> drop & 1);
    uint64_t result = (rounded >> drop) - (uint64_t(From::bias - To::bias) << To::mantissa);
    if (result > To::max_finite)
      result = overflow == Overflow::Saturate ? To::max_finite : To::infinity;
    return typename To::Bits(result | uint64_t(negative) << (To::width - 1));
  }
  if (magnitude > From::infinity) return To::nan;
  if (magnitude == From::infinity) {
    const uint64_t inf = overflow == Overflow::Saturate ? To::max_finite : To::infinity;
    return typename To::Bits(inf | uint64_t(negative) << (To::width - 1));
  }
  if (magnitude == 0) return typename To::Bits(uint64_t(negative) << (To::width - 1));
  int exponent = int(magnitude >> From::mantissa) - From::bias;
  uint64_t significand = magnitude << (63 - From::mantissa) | uint64_t{1} << 63;
  if (exponent == -From::bias) {
    significand = magnitude << (63 - From::mantissa);
    const int zeros = std::countl_zero(significand);
    significand <<= zeros;
    exponent += 1 - zeros;
  }
  return encode<T>(negative, exponent, significand, round, overflow);
}

/// f16 of `x`, rounded once.
template <std::floating_point Source>
constexpr f16_t to_f16(Source x, Rounding round = Rounding::Rn,
                       Overflow overflow = Overflow::Infinity) {
  return {narrow<f16_t>(x, round, overflow)};
}

/// bf16 of `x`, rounded once.
constexpr bf16_t to_bf16(double x, Rounding round = Rounding::Rn,
                         Overflow overflow = Overflow::Infinity) {
  return {narrow<bf16_t>(x, round, overflow)};
}
constexpr bf16_t to_bf16(float x, Rounding round = Rounding::Rn,
                         Overflow overflow = Overflow::Infinity) {
  if (round != Rounding::Rn || overflow != Overflow::Infinity)
    return {narrow<bf16_t>(x, round, overflow)};
  const auto bits = std::bit_cast<uint32_t>(x);  // bf16 is the upper half of f32
  if (x != x) return {Format<bf16_t>::nan};
  return {uint16_t((bits + 0x7fff + (bits >> 16 & 1)) >> 16)};
}

/// e4m3 of `x`: nearest even, finite values saturate at 448; infinity too (PTX .satfinite).
template <std::floating_point Source>
constexpr e4m3_t to_e4m3(Source x) {
  return {narrow<e4m3_t>(x, Rounding::Rn, Overflow::Saturate)};
}
/// e5m2 of `x`: nearest even, saturating at 57344.
template <std::floating_point Source>
constexpr e5m2_t to_e5m2(Source x) {
  return {narrow<e5m2_t>(x, Rounding::Rn, Overflow::Saturate)};
}
/// e2m1 of `x`: nearest even, saturating at 6; NaN gives +6, as PTX has it.
template <std::floating_point Source>
constexpr e2m1_t to_e2m1(Source x) {
  return {narrow<e2m1_t>(x, Rounding::Rn, Overflow::Saturate)};
}

/// f32 of a double, rounded once.
constexpr float to_f32(double x, Rounding round = Rounding::Rn) {
  if (round == Rounding::Rn) return canonical(static_cast<float>(x));
  return std::bit_cast<float>(narrow<float>(x, round, Overflow::Infinity));
}
constexpr float to_f32(float x) { return canonical(x); }

/// Widening is exact. T has at most f16's exponent range, or is bf16.
template <class T>
requires SmallFloat<T> || TinyFloat<T>
constexpr float to_f32(T x) {
  using From = Format<T>;
  if constexpr (std::same_as<T, bf16_t>) {
    return canonical(std::bit_cast<float>(uint32_t(x.bits) << 16));
  } else {
    const uint32_t magnitude = x.bits & ((1u << (From::width - 1)) - 1);
    const uint32_t sign = uint32_t(x.bits) >> (From::width - 1) << 31;
    if (From::max_finite != (1u << (From::width - 1)) - 1 && magnitude > From::max_finite) {
      if (From::infinity != From::nan && magnitude == From::infinity)
        return std::bit_cast<float>(sign | Format<float>::infinity);
      return std::bit_cast<float>(Format<float>::nan);
    }
    // The bits read as an f32 with too small a bias: one exact product puts them right.
    const float tiny = std::bit_cast<float>(magnitude << (23 - From::mantissa));
    const float scale = std::bit_cast<float>(uint32_t(254 - From::bias) << 23);
    return std::bit_cast<float>(std::bit_cast<uint32_t>(tiny * scale) | sign);
  }
}

/// f64 of any float type: exact.
constexpr double to_f64(double x) { return canonical(x); }
constexpr double to_f64(float x) { return canonical(static_cast<double>(x)); }
template <class T>
requires SmallFloat<T> || TinyFloat<T>
constexpr double to_f64(T x) { return to_f64(to_f32(x)); }

}  // namespace num
}  // namespace barline::ir
