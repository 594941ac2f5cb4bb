// SPDX-License-Identifier: Apache-2.0
#include "ir/tensor_core.h"

#include <algorithm>
#include <bit>

namespace barline::ir {

namespace {

/// Below the exponent of every product of finite non-zero numbers: a zero aligns nothing.
constexpr int no_exponent = -4096;
constexpr std::uint32_t nan_bits = 0x7fffffff, inf_bits = 0x7f800000, sign_bit = 0x80000000;
/// Bits kept below the unit of the largest exponent.
constexpr int fraction = 25;
constexpr int max_n = 16;

/// A finite number: significand * 2^(exponent - mantissa bits of its format).
struct Part {
  std::int32_t significand;  ///< signed
  std::int32_t exponent;
};

struct Format16 {
  int mantissa, bias;
  std::uint16_t infinity;
};
constexpr Format16 f16{10, 15, 0x7c00}, bf16{7, 127, 0x7f80};

template <Format16 f>
Part take_apart(std::uint16_t x) {
  const int field = (x & f.infinity) >> f.mantissa;
  const int stored = x & ((1 << f.mantissa) - 1);
  const int magnitude = stored | ((field != 0) << f.mantissa);
  const int exponent = magnitude == 0 ? no_exponent : std::max(field, 1) - f.bias;
  return {(x & 0x8000) ? -magnitude : magnitude, exponent};
}

template <Format16 f>
bool special(std::uint16_t x) {
  return (x & f.infinity) == f.infinity;
}

/// sum * 2^exponent, truncated toward zero.
float truncated(std::int64_t sum, int exponent) {
  if (sum == 0) return 0.0F;
  const std::uint32_t sign = sum < 0 ? sign_bit : 0;
  const std::uint64_t magnitude = sum < 0 ? -static_cast<std::uint64_t>(sum) : sum;
  const int top = 63 - std::countl_zero(magnitude);
  const int shift = std::max(top - 23, -149 - exponent);  // drop so many bits
  if (shift > 63) return std::bit_cast<float>(sign);
  const auto kept =
      static_cast<std::uint32_t>(shift >= 0 ? magnitude >> shift : magnitude << -shift);
  // A normal result carries its leading bit into the exponent field.
  const int field = exponent + shift + 149;
  if (field + (kept >> 23) >= 255) return std::bit_cast<float>(sign | inf_bits);
  return std::bit_cast<float>(sign | ((static_cast<std::uint32_t>(field) << 23) + kept));
}

std::int32_t aligned(std::int32_t x, int left, int drop) {
  const std::int32_t sign = x >> 31;
  const std::int32_t magnitude = ((x ^ sign) - sign) << left;
  return ((magnitude >> std::min(drop, 31)) ^ sign) - sign;
}

Part take_apart(float c) {
  const auto b = std::bit_cast<std::uint32_t>(c);
  const int field = (b >> 23) & 255;
  const auto magnitude = static_cast<std::int32_t>((b & 0x7fffff) | ((field != 0) << 23));
  return {(b & sign_bit) ? -magnitude : magnitude,
          magnitude == 0 ? no_exponent : std::max(field, 1) - 127};
}

template <Format16 f>
float finite_dot(const Part* a, const Part* b, int n, float c) {
  std::int32_t products[max_n], exponents[max_n];
  const Part last = take_apart(c);
  int largest = last.exponent;
  for (int i = 0; i < n; ++i) {
    products[i] = a[i].significand * b[i].significand;
    exponents[i] = a[i].exponent + b[i].exponent;
    largest = std::max(largest, exponents[i]);
  }
  if (largest < -1000) return 0.0F;
  std::int64_t sum = aligned(last.significand, fraction - 23, largest - last.exponent);
  for (int i = 0; i < n; ++i) {
    sum += aligned(products[i], fraction - 2 * f.mantissa, largest - exponents[i]);
  }
  return truncated(sum, largest - fraction);
}

/// The result when some operand is a NaN or infinite.
template <Format16 f>
float special_dot(const std::uint16_t* a, const std::uint16_t* b, int n, float c) {
  const auto bits = std::bit_cast<std::uint32_t>(c);
  bool nan = (bits & ~sign_bit) > inf_bits;
  bool up = bits == inf_bits, down = bits == (inf_bits | sign_bit);
  for (int i = 0; i < n; ++i) {
    if (!special<f>(a[i]) && !special<f>(b[i])) continue;
    const int x = a[i] & 0x7fff, y = b[i] & 0x7fff;
    nan |= x > f.infinity || y > f.infinity || x == 0 || y == 0;
    ((a[i] ^ b[i]) & 0x8000 ? down : up) = true;
  }
  if (nan || (up && down)) return std::bit_cast<float>(nan_bits);
  return std::bit_cast<float>(inf_bits | (down ? sign_bit : 0));
}

template <Format16 f>
bool any_special(const std::uint16_t* x, int n) {
  bool any = false;
  for (int i = 0; i < n; ++i) any |= special<f>(x[i]);
  return any;
}

bool special(float c) { return (std::bit_cast<std::uint32_t>(c) & inf_bits) == inf_bits; }

template <Format16 f>
float dot(const std::uint16_t* a, const std::uint16_t* b, int n, float c) {
  if (special(c) || any_special<f>(a, n) || any_special<f>(b, n)) return special_dot<f>(a, b, n, c);
  Part x[max_n], y[max_n];
  for (int i = 0; i < n; ++i) {
    x[i] = take_apart<f>(a[i]);
    y[i] = take_apart<f>(b[i]);
  }
  return finite_dot<f>(x, y, n, c);
}

template <Format16 f>
void tile(const std::uint16_t* a, const std::uint16_t* b, int n, const float* c, float* d) {
  constexpr int rows = 16, columns = 8;
  Part x[rows * max_n], y[columns * max_n];
  bool odd_row[rows], odd_column[columns];
  for (int i = 0; i < rows * n; ++i) x[i] = take_apart<f>(a[i]);
  for (int i = 0; i < columns * n; ++i) y[i] = take_apart<f>(b[i]);
  for (int i = 0; i < rows; ++i) odd_row[i] = any_special<f>(a + i * n, n);
  for (int i = 0; i < columns; ++i) odd_column[i] = any_special<f>(b + i * n, n);
  for (int i = 0; i < rows; ++i) {
    for (int j = 0; j < columns; ++j) {
      const float start = c[i * columns + j];
      d[i * columns + j] = odd_row[i] || odd_column[j] || special(start)
                               ? special_dot<f>(a + i * n, b + j * n, n, start)
                               : finite_dot<f>(x + i * n, y + j * n, n, start);
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
