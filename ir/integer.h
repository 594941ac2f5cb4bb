// SPDX-License-Identifier: Apache-2.0
// The executable meaning of the IR's integer arithmetic, 8 to 64 bits: results wrap, shift amounts
// clamp, division truncates. Shared by the simulator, constant folding and the references.
#pragma once

#include <bit>
#include <concepts>
#include <cstdint>
#include <limits>
#include <type_traits>

namespace barline::ir::num {

/// An integer type of the IR; bool has no arithmetic.
template <class T>
concept Integer = std::integral<T> && !std::same_as<T, bool>;

/// Unsigned and at least 32 bits wide: arithmetic in it wraps and never promotes to a signed type.
template <Integer T>
using Wide = std::conditional_t<(sizeof(T) < 4), uint32_t, std::make_unsigned_t<T>>;

template <Integer T>
inline constexpr int width = 8 * sizeof(T);

template <Integer T>
constexpr T add(T a, T b) {
  return T(Wide<T>(a) + Wide<T>(b));
}
template <Integer T>
constexpr T sub(T a, T b) {
  return T(Wide<T>(a) - Wide<T>(b));
}
template <Integer T>
constexpr T mul(T a, T b) {
  return T(Wide<T>(a) * Wide<T>(b));
}
template <Integer T>
constexpr T neg(T a) {
  return T(Wide<T>(0) - Wide<T>(a));
}
/// |a|; the smallest value is its own.
template <Integer T>
constexpr T abs(T a) {
  return a < 0 ? neg(a) : a;
}
template <Integer T>
constexpr T min(T a, T b) {
  return a < b ? a : b;
}
template <Integer T>
constexpr T max(T a, T b) {
  return a < b ? b : a;
}

/// The high half of the full product.
template <Integer T>
constexpr T mul_hi(T a, T b) {
  if constexpr (sizeof(T) == 8) {
    using Full = std::conditional_t<std::is_signed_v<T>, __int128, unsigned __int128>;
    return T((Full(a) * Full(b)) >> 64);
  } else {
    using Full = std::conditional_t<std::is_signed_v<T>, int64_t, uint64_t>;
    return T((Full(a) * Full(b)) >> width<T>);
  }
}

/// a / b toward zero; smallest / -1 wraps. b is not 0: the simulator traps before, and a caller
/// that folds constants leaves such an op alone. (By 0 the result here is all ones.)
template <Integer T>
constexpr T div(T a, T b) {
  if (b == 0) return T(~T(0));
  if (std::is_signed_v<T> && b == T(-1)) return neg(a);
  return T(a / b);
}
/// a - div(a, b) * b: the sign of a. b is not 0. (By 0 the result here is a.)
template <Integer T>
constexpr T rem(T a, T b) {
  if (b == 0) return a;
  if (std::is_signed_v<T> && b == T(-1)) return 0;
  return T(a % b);
}

/// a * 2^n; n at or past the width gives 0.
template <Integer T>
constexpr T shl(T a, uint32_t n) {
  return n >= uint32_t(width<T>) ? T(0) : T(Wide<T>(a) << n);
}
/// Arithmetic for signed types; n at or past the width leaves the sign (0 if unsigned).
template <Integer T>
constexpr T shr(T a, uint32_t n) {
  if (n >= uint32_t(width<T>)) return T(a < 0 ? -1 : 0);
  return T(a >> n);
}

template <Integer T>
constexpr int32_t popc(T a) {
  return std::popcount(std::make_unsigned_t<T>(a));
}
template <Integer T>
constexpr int32_t clz(T a) {
  return std::countl_zero(std::make_unsigned_t<T>(a));
}
template <Integer T>
constexpr T brev(T a) {
  auto bits = uint64_t(std::make_unsigned_t<T>(a));
  bits = (bits >> 1 & 0x5555555555555555) | (bits & 0x5555555555555555) << 1;
  bits = (bits >> 2 & 0x3333333333333333) | (bits & 0x3333333333333333) << 2;
  bits = (bits >> 4 & 0x0f0f0f0f0f0f0f0f) | (bits & 0x0f0f0f0f0f0f0f0f) << 4;
  return T(__builtin_bswap64(bits) >> (64 - width<T>));
}

/// PTX prmt.b32, default mode: byte i of the result is byte `selector >> 4i & 7` of {b, a} (a holds
/// bytes 0 to 3); bit 3 of the nibble replicates that byte's sign instead.
constexpr uint32_t byte_permute(uint32_t a, uint32_t b, uint32_t selector) {
  const uint64_t bytes = uint64_t(b) << 32 | a;
  uint32_t result = 0;
  for (int i = 0; i < 4; ++i) {
    const uint32_t nibble = selector >> (4 * i) & 15;
    uint32_t byte = uint32_t(bytes >> (8 * (nibble & 7))) & 0xff;
    if (nibble & 8) byte = byte & 0x80 ? 0xff : 0;
    result |= byte << (8 * i);
  }
  return result;
}

}  // namespace barline::ir::num
