// SPDX-License-Identifier: Apache-2.0
#include "ir/tensor_core.h"

#include <algorithm>
#include <array>
#include <bit>

namespace barline::ir {

namespace {

/// The longest dot; shorter ones are continued by zeros, which change nothing.
constexpr int terms = 16;
/// Bits that a term keeps below the unit of the largest exponent.
constexpr int fraction = 25;
/// Sums whose terms have smaller exponents are aligned to this one.
constexpr int lowest_alignment = -133;
/// The exponent of zero: below that of every product, so that it aligns nothing.
constexpr int no_exponent = -4096;

constexpr std::uint32_t nan_bits = 0x7fffffff, inf_bits = 0x7f800000, sign_bit = 0x80000000;

struct Format16 {
  int mantissa, bias;
  std::uint16_t infinity;
};
constexpr Format16 f16{10, 15, 0x7c00}, bf16{7, 127, 0x7f80};

/// A row or column of finite numbers, each significand * 2^(exponent - mantissa bits). Whole
/// numbers in floats: their products are exact, and truncation is one instruction of every CPU.
struct Parts {
  std::array<float, terms> significand{};
  std::array<std::int32_t, terms> exponent{};
  bool finite = true;  ///< otherwise the rest is not to be used
};

template <Format16 f>
Parts take_apart(const std::uint16_t* x, int n) {
  std::array<std::uint16_t, terms> bits{};
  std::copy(x, x + n, bits.begin());
  Parts parts;
  int specials = 0;
  for (int i = 0; i < terms; ++i) {
    const int field = (bits[i] & f.infinity) >> f.mantissa;
    const int stored = bits[i] & ((1 << f.mantissa) - 1);
    const int magnitude = field == 0 ? stored : stored + (1 << f.mantissa);
    parts.significand[i] = static_cast<float>((bits[i] & 0x8000) != 0 ? -magnitude : magnitude);
    parts.exponent[i] = magnitude == 0 ? no_exponent : std::max(field, 1) - f.bias;
    specials += (bits[i] & f.infinity) == f.infinity;
  }
  parts.finite = specials == 0;
  return parts;
}

/// sum * 2^exponent, truncated toward zero; a result of zero is positive.
float truncated(std::int64_t sum, int exponent) {
  const std::uint32_t sign = sum < 0 ? sign_bit : 0;
  const auto magnitude = static_cast<std::uint64_t>(sum < 0 ? -sum : sum);
  const int top = 63 - std::countl_zero(magnitude | 1);
  const int drop = std::max(top - 23, -149 - exponent);  // low bits that no float holds
  const auto kept = static_cast<std::uint32_t>(drop < 0 ? magnitude << -drop : magnitude >> drop);
  if (kept == 0) return 0.0F;
  // The leading bit of a normal number carries into the exponent field.
  const std::uint32_t bits = (static_cast<std::uint32_t>(exponent + drop + 149) << 23) + kept;
  return std::bit_cast<float>(sign | std::min(bits, inf_bits));
}

template <Format16 f>
float finite_dot(const Parts& a, const Parts& b, float c) {
  const auto bits = std::bit_cast<std::uint32_t>(c);
  const auto field = static_cast<int>((bits & inf_bits) >> 23);
  const std::int64_t magnitude = (bits & 0x7fffff) | (field == 0 ? 0 : 0x800000);
  const int exponent = magnitude == 0 ? no_exponent : std::max(field, 1) - 127;

  int largest = std::max(exponent, lowest_alignment);
  std::array<std::int32_t, terms> exponents;
  for (int i = 0; i < terms; ++i) {
    exponents[i] = a.exponent[i] + b.exponent[i];
    largest = std::max(largest, exponents[i]);
  }
  // 16 products fit in 32 bits: the largest significands give 16 * 2047^2 * 2^5 < 2^31.
  constexpr int left = fraction - 2 * f.mantissa;
  std::int32_t sum = 0;
  for (int i = 0; i < terms; ++i) {
    const int scale = std::max(left - (largest - exponents[i]), -127);  // 2^-127 stands for 0
    sum += static_cast<std::int32_t>(a.significand[i] * b.significand[i] *
                                     std::bit_cast<float>((scale + 127) << 23));
  }
  const std::int64_t start = (magnitude << (fraction - 23)) >> std::min(largest - exponent, 63);
  return truncated(sum + ((bits & sign_bit) != 0 ? -start : start), largest - fraction);
}

/// The result when some operand is a NaN or infinite.
template <Format16 f>
float special_dot(const std::uint16_t* a, const std::uint16_t* b, int n, float c) {
  const auto bits = std::bit_cast<std::uint32_t>(c);
  bool nan = (bits & ~sign_bit) > inf_bits;
  bool up = bits == inf_bits, down = bits == (inf_bits | sign_bit);
  for (int i = 0; i < n; ++i) {
    const int x = a[i] & 0x7fff, y = b[i] & 0x7fff;
    if (x < f.infinity && y < f.infinity) continue;
    nan |= x > f.infinity || y > f.infinity || x == 0 || y == 0;
    (((a[i] ^ b[i]) & 0x8000) != 0 ? down : up) = true;
  }
  if (nan || (up && down)) return std::bit_cast<float>(nan_bits);
  return std::bit_cast<float>(down ? inf_bits | sign_bit : inf_bits);
}

bool finite(float c) { return (std::bit_cast<std::uint32_t>(c) & inf_bits) != inf_bits; }

template <Format16 f>
float dot(const std::uint16_t* a, const std::uint16_t* b, int n, float c) {
  const Parts x = take_apart<f>(a, n), y = take_apart<f>(b, n);
  return x.finite && y.finite && finite(c) ? finite_dot<f>(x, y, c) : special_dot<f>(a, b, n, c);
}

template <Format16 f>
void tile(const std::uint16_t* a, const std::uint16_t* b, int n, const float* c, float* d) {
  std::array<Parts, 8> columns;
  for (int j = 0; j < 8; ++j) columns[j] = take_apart<f>(b + j * n, n);
  for (int i = 0; i < 16; ++i) {
    const Parts row = take_apart<f>(a + i * n, n);
    for (int j = 0; j < 8; ++j) {
      const float start = c[i * 8 + j];
      d[i * 8 + j] = row.finite && columns[j].finite && finite(start)
                         ? finite_dot<f>(row, columns[j], start)
                         : special_dot<f>(a + i * n, b + j * n, n, start);
    }
  }
}

}  // namespace

float mma_dot(Elem e, const std::uint16_t* a, const std::uint16_t* b, int n, float c) {
  return e == Elem::F16 ? dot<f16>(a, b, n, c) : dot<bf16>(a, b, n, c);
}

void mma_tile(Elem e, const std::uint16_t* a, const std::uint16_t* b, int n, const float* c,
              float* d) {
  e == Elem::F16 ? tile<f16>(a, b, n, c, d) : tile<bf16>(a, b, n, c, d);
}

std::int32_t mma_dot_s8(const std::int8_t* a, const std::int8_t* b, int n, std::int32_t c) {
  auto sum = static_cast<std::uint32_t>(c);
  for (int i = 0; i < n; ++i) sum += static_cast<std::uint32_t>(a[i] * b[i]);
  return static_cast<std::int32_t>(sum);
}

}  // namespace barline::ir
