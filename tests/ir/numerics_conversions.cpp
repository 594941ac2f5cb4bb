// SPDX-License-Identifier: Apache-2.0
// Conversions of ir/half.h and ir/numerics.h: every small float, every rounding mode, the edges.
#include <catch2/catch.hpp>
#include <random>
#include <vector>

#include "ir/numerics.h"

using namespace barline::ir;

namespace {

constexpr float inf = std::numeric_limits<float>::infinity();
constexpr Rounding modes[] = {Rounding::Rn, Rounding::Rz, Rounding::Rm, Rounding::Rp,
                              Rounding::Rna};

uint32_t bits(float x) { return std::bit_cast<uint32_t>(x); }

/// Finite values of T from 0 upwards, by their definition: mantissa * 2^exponent.
template <class T>
std::vector<double> finite_values() {
  using To = Format<T>;
  std::vector<double> values;
  for (uint32_t b = 0; b <= To::max_finite; ++b) {
    const int field = int(b >> To::mantissa);
    const double fraction = double(b & ((1u << To::mantissa) - 1)) / (1u << To::mantissa);
    values.push_back(field ? std::ldexp(1 + fraction, field - To::bias)
                           : std::ldexp(fraction, 1 - To::bias));
  }
  return values;
}

/// The bits that `x` > 0 rounds to, found among the two neighbours.
template <class T>
uint32_t round_by_search(const std::vector<double>& values, double x, bool negative,
                         Rounding mode) {
  using To = Format<T>;
  const auto above = std::upper_bound(values.begin(), values.end(), x);
  const auto low = uint32_t(above - values.begin() - 1);
  if (values[low] == x) return low;
  const bool last = low == To::max_finite;
  const double step = last ? values[low] - values[low - 1] : values[low + 1] - values[low];
  const double rest = (x - values[low]) / step;
  bool up = rest > 0.5 || (rest == 0.5 && (mode == Rounding::Rna || (low & 1)));
  if (mode == Rounding::Rz) up = false;
  if (mode == Rounding::Rm) up = negative;
  if (mode == Rounding::Rp) up = !negative;
  if (last && up) return To::infinity;
  return low + up;
}

template <class T>
int mismatches(double span) {
  const auto values = finite_values<T>();
  std::mt19937_64 engine{3};
  std::uniform_real_distribution<double> spread(-1, 1);
  int wrong = 0;
  for (int i = 0; i < 100'000; ++i) {
    const size_t at = engine() % values.size();
    double x = values[at];
    const double next = at + 1 < values.size() ? values[at + 1] : 2 * x - values[at - 1];
    switch (i % 4) {
      case 0: x = (x + next) / 2; break;                                      // a tie
      case 1: x = std::nextafter((x + next) / 2, (i & 4) ? x : next); break;  // just off it
      case 2: x = x + (next - x) * std::fabs(spread(engine)); break;
      default: break;
    }
    if (x > span) continue;
    for (const bool negative : {false, true})
      for (const Rounding mode : modes) {
        const uint32_t want = round_by_search<T>(values, x, negative, mode) |
                              uint32_t(negative) << (Format<T>::width - 1);
        wrong += num::narrow<T>(negative ? -x : x, mode, Overflow::Infinity) != want;
      }
  }
  return wrong;
}

}  // namespace

TEST_CASE("narrowing picks the right neighbour in every mode") {
  CHECK(mismatches<f16_t>(1e300) == 0);
  CHECK(mismatches<bf16_t>(1e300) == 0);
  CHECK(mismatches<e5m2_t>(1e300) == 0);
  CHECK(mismatches<e4m3_t>(448) == 0);
  CHECK(mismatches<e2m1_t>(6) == 0);
}

TEST_CASE("every small float widens to its value and comes back") {
  const auto check = []<class T>(T, auto back) {
    const auto values = finite_values<T>();
    int wrong = 0;
    for (uint32_t b = 0; b < values.size(); ++b) {
      const T x{typename Format<T>::Bits(b)};
      const T minus{typename Format<T>::Bits(b | 1u << (Format<T>::width - 1))};
      wrong += double{num::to_f32(x)} != values[b] || num::to_f64(minus) != -values[b];
      wrong += bits(num::to_f32(minus)) >> 31 != 1;
      wrong += back(num::to_f32(x)) != x || back(num::to_f32(minus)) != minus;
    }
    CHECK(wrong == 0);
  };
  check(f16_t{}, [](float x) { return num::to_f16(x); });
  check(bf16_t{}, [](float x) { return num::to_bf16(x); });
  check(e4m3_t{}, [](float x) { return num::to_e4m3(x); });
  check(e5m2_t{}, [](float x) { return num::to_e5m2(x); });
  check(e2m1_t{}, [](float x) { return num::to_e2m1(x); });
}

TEST_CASE("the short path to bf16 agrees with the general one") {
  int wrong = 0;
  for (uint64_t i = 0; i < uint64_t{1} << 32; i += 8191) {
    const float x = std::bit_cast<float>(uint32_t(i));
    wrong += num::to_bf16(x).bits != num::narrow<bf16_t>(x, Rounding::Rn, Overflow::Infinity);
  }
  CHECK(wrong == 0);
}

TEST_CASE("infinities, overflow and NaN when narrowing") {
  const float nan = std::bit_cast<float>(0xffc00001);
  CHECK(num::to_f16(65519.0f).bits == 0x7bff);
  CHECK(num::to_f16(65520.0f).bits == 0x7c00);
  CHECK(num::to_f16(1e30f, Rounding::Rz).bits == 0x7bff);
  CHECK(num::to_f16(-1e30f, Rounding::Rm).bits == 0xfc00);
  CHECK(num::to_f16(-1e30f, Rounding::Rp).bits == 0xfbff);
  CHECK(num::to_f16(-inf, Rounding::Rz).bits == 0xfc00);
  CHECK(num::to_f16(inf, Rounding::Rn, Overflow::Saturate).bits == 0x7bff);
  CHECK(num::to_f16(-1e9f, Rounding::Rn, Overflow::Saturate).bits == 0xfbff);
  CHECK(num::to_f16(nan).bits == 0x7fff);
  CHECK(num::to_bf16(nan).bits == 0x7fff);
  CHECK(num::to_bf16(std::numeric_limits<float>::max()).bits == 0x7f80);
  CHECK(num::to_e4m3(1e9f).bits == 0x7e);
  CHECK(num::to_e4m3(-inf).bits == 0xfe);
  CHECK(num::to_e4m3(nan).bits == 0x7f);
  CHECK(num::to_e5m2(inf).bits == 0x7b);
  CHECK(num::to_e5m2(nan).bits == 0x7f);
  CHECK(num::to_e2m1(100.0f).bits == 7);
  CHECK(num::to_e2m1(-100.0f).bits == 15);
  CHECK(num::to_e2m1(nan).bits == 7);
  CHECK(bits(num::to_f32(f16_t{0xfe00})) == 0x7fffffff);
  CHECK(bits(num::to_f32(bf16_t{0xff81})) == 0x7fffffff);
  CHECK(bits(num::to_f32(e4m3_t{0xff})) == 0x7fffffff);
  CHECK(num::to_f32(e5m2_t{0xfc}) == -inf);
  CHECK(num::to_f32(f16_t{0xfc00}) == -inf);
}

TEST_CASE("f64 to f32 rounds by mode") {
  const double between = 1 + 0x1p-24 + 0x1p-50;
  CHECK(num::to_f32(between) == 1 + 0x1p-23f);
  CHECK(num::to_f32(between, Rounding::Rz) == 1.0f);
  CHECK(num::to_f32(between, Rounding::Rp) == 1 + 0x1p-23f);
  CHECK(num::to_f32(-between, Rounding::Rm) == -1 - 0x1p-23f);
  CHECK(num::to_f32(1e300, Rounding::Rz) == std::numeric_limits<float>::max());
  CHECK(num::to_f32(0x1p-1074, Rounding::Rp) == 0x1p-149f);
  CHECK(bits(num::to_f32(-0x1p-1074)) == 0x80000000);
  std::mt19937_64 engine{5};
  int wrong = 0;
  for (int i = 0; i < 100'000; ++i) {
    const double x = std::bit_cast<double>(engine() % 0x0fe0000000000000 + 0x3380000000000000);
    wrong += num::narrow<float>(x, Rounding::Rn, Overflow::Infinity) != bits(static_cast<float>(x));
  }
  CHECK(wrong == 0);
}

TEST_CASE("float to integer saturates, takes NaN to 0 and rounds by mode") {
  CHECK(num::to_int<int32_t>(std::bit_cast<float>(0xffc00000)) == 0);
  CHECK(num::to_int<int32_t>(inf) == 2147483647);
  CHECK(num::to_int<int32_t>(-inf) == -2147483647 - 1);
  CHECK(num::to_int<int32_t>(2147483647.9) == 2147483647);
  CHECK(num::to_int<uint32_t>(-0.9f) == 0);
  CHECK(num::to_int<uint32_t>(4294967295.0) == 4294967295u);
  CHECK(num::to_int<uint32_t>(1e10f) == 4294967295u);
  CHECK(num::to_int<int8_t>(200.0f) == 127);
  CHECK(num::to_int<int8_t>(-128.9f) == -128);
  CHECK(num::to_int<uint16_t>(f16_t{0x7c00}) == 65535);
  CHECK(num::to_int<int64_t>(1e30f) == std::numeric_limits<int64_t>::max());
  CHECK(num::to_int<int64_t>(-0x1p63) == std::numeric_limits<int64_t>::min());
  CHECK(num::to_int<uint64_t>(0x1.fffffffffffffp63) == 0xfffffffffffff800);
  CHECK(num::to_int<uint64_t>(0x1p64) == 0xffffffffffffffff);
  CHECK(num::to_int<int32_t>(2.5f, Rounding::Rn) == 2);
  CHECK(num::to_int<int32_t>(3.5f, Rounding::Rn) == 4);
  CHECK(num::to_int<int32_t>(2.5f, Rounding::Rna) == 3);
  CHECK(num::to_int<int32_t>(-2.5f) == -2);
  CHECK(num::to_int<int32_t>(-2.5f, Rounding::Rm) == -3);
  CHECK(num::to_int<int32_t>(-2.5f, Rounding::Rp) == -2);
  CHECK(num::to_int<int8_t>(127.4f, Rounding::Rp) == 127);
}

TEST_CASE("rounding to an integral float keeps the sign of zero") {
  CHECK(bits(num::round_to_integral(-0.3f, Rounding::Rn)) == 0x80000000);
  CHECK(num::round_to_integral(2.5f, Rounding::Rn) == 2);
  CHECK(num::round_to_integral(-2.5, Rounding::Rm) == -3);
  CHECK(num::round_to_integral(2.1f, Rounding::Rp) == 3);
  CHECK(num::round_to_integral(-2.9f, Rounding::Rz) == -2);
}

TEST_CASE("integer to float rounds once") {
  CHECK(num::from_int<float>(16777217) == 16777216.0f);
  CHECK(num::from_int<float>(16777219) == 16777220.0f);
  CHECK(num::from_int<float>(16777217, Rounding::Rp) == 16777218.0f);
  CHECK(num::from_int<float>(-16777217, Rounding::Rm) == -16777218.0f);
  CHECK(num::from_int<float>(-16777217, Rounding::Rz) == -16777216.0f);
  CHECK(num::from_int<float>(0x7fffffffffffffff, Rounding::Rz) == 0x1.fffffep62f);
  CHECK(num::from_int<float>(uint64_t(0x8000008000000001)) == 0x1.000002p63f);
  CHECK(num::from_int<double>(0x7fffffffffffffff, Rounding::Rm) == 0x1.fffffffffffffp62);
  CHECK(num::from_int<double>(std::numeric_limits<int64_t>::min(), Rounding::Rp) == -0x1p63);
  CHECK(num::from_int<f16_t>(2049).bits == 0x6800);
  CHECK(num::from_int<f16_t>(2051).bits == 0x6802);
  CHECK(num::from_int<f16_t>(65520).bits == 0x7c00);
  CHECK(num::from_int<f16_t>(65520, Rounding::Rz).bits == 0x7bff);
  CHECK(num::from_int<bf16_t>(int8_t(-128)).bits == 0xc300);
  CHECK(num::from_int<bf16_t>(0u).bits == 0);
  // 2^24 + 2^16 + 1 is above a tie of bf16 that an f32 in between would round onto.
  CHECK(num::from_int<bf16_t>(0x1010001).bits == 0x4b81);
}

TEST_CASE(".sat clamps to [0, 1] and takes NaN to 0") {
  CHECK(bits(num::saturate(-0.0f)) == 0);
  CHECK(num::saturate(0.25f) == 0.25f);
  CHECK(num::saturate(inf) == 1);
  CHECK(num::saturate(std::bit_cast<float>(0x7fffffff)) == 0);
}
