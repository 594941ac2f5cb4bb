// SPDX-License-Identifier: Apache-2.0
// The tensor core's sums: each rule by hand, then elements measured on an H200.
#include "ir/tensor_core.h"

#include <algorithm>
#include <array>
#include <bit>
#include <catch2/catch.hpp>
#include <initializer_list>
#include <random>
#include <vector>

#include "ir/numerics.h"
#include "tensor_core_chains.h"
#include "tensor_core_vectors.h"

using namespace barline;
using ir::Elem;

namespace {

constexpr std::uint32_t infinity = 0x7f800000, negative = 0x80000000, nan_bits = 0x7fffffff;

std::uint16_t encoded(Elem e, double x) {
  return e == Elem::F16 ? ir::num::from_f64<ir::f16_t>(x).bits
                        : ir::num::from_f64<ir::bf16_t>(x).bits;
}

/// One factor pair of a dot.
struct Product {
  double a, b;
};

std::uint32_t dot(Elem e, std::initializer_list<Product> products, float c, int n = 16) {
  std::array<std::uint16_t, 16> a{}, b{};
  int i = 0;
  for (const Product& p : products) {
    a[i] = encoded(e, p.a);
    b[i++] = encoded(e, p.b);
  }
  return std::bit_cast<std::uint32_t>(ir::mma_dot(e, a.data(), b.data(), n, c));
}

std::uint32_t bits(float x) { return std::bit_cast<std::uint32_t>(x); }

float power(int exponent) { return std::ldexp(1.0F, exponent); }

const double inf = std::numeric_limits<double>::infinity();

std::vector<std::uint16_t> operands(std::string_view hex) {
  std::vector<std::uint16_t> out;
  for (std::size_t i = 0; i < hex.size(); i += 4)
    out.push_back(
        static_cast<std::uint16_t>(std::stoi(std::string(hex.substr(i, 4)), nullptr, 16)));
  return out;
}

/// Operands of every class, with exponents that let many terms meet.
class RandomOperands {
 public:
  explicit RandomOperands(Elem e) : mantissa_(e == Elem::F16 ? 10 : 7) {}

  std::uint16_t operator()() {
    const auto r = static_cast<std::uint32_t>(engine_());
    if (r % 16 == 0) return static_cast<std::uint16_t>(r >> 31 << 15);
    if (r % 512 == 1) return static_cast<std::uint16_t>(r >> 16);
    const std::uint32_t field = (mantissa_ == 10 ? 8 : 120) + (r >> 4) % 16;
    const std::uint32_t fraction = (r >> 8) & ((1U << mantissa_) - 1);
    return static_cast<std::uint16_t>((r >> 31 << 15) | (field << mantissa_) | fraction);
  }
  float start() { return static_cast<float>(static_cast<std::int32_t>(engine_())) * power(-28); }
  std::mt19937& engine() { return engine_; }

 private:
  int mantissa_;
  std::mt19937 engine_{20260311};
};

}  // namespace

TEST_CASE("tensor core: terms are truncated at the 25th bit below the largest") {
  for (Elem e : {Elem::F16, Elem::BF16}) {
    // 16 terms just at the last kept bit add up; one bit lower each is lost.
    CHECK(dot(e,
              {{power(-13), power(-12)},
               {power(-13), power(-12)},
               {power(-13), power(-12)},
               {power(-13), power(-12)}},
              1.0F) == bits(1.0F + power(-23)));
    CHECK(dot(e,
              {{power(-13), power(-13)},
               {power(-13), power(-13)},
               {power(-13), power(-13)},
               {power(-13), power(-13)},
               {power(-13), power(-13)},
               {power(-13), power(-13)},
               {power(-13), power(-13)},
               {power(-13), power(-13)}},
              1.0F) == bits(1.0F));
    // Truncation is toward zero on each side.
    CHECK(dot(e, {{-power(-13), power(-13)}}, 1.0F) == bits(1.0F));
    CHECK(dot(e, {{power(-13), power(-13)}}, -1.0F) == bits(-1.0F));
  }
}

TEST_CASE("tensor core: the sum is one of all terms, not two of 8") {
  for (Elem e : {Elem::F16, Elem::BF16}) {
    const double t = power(-12);
    // Two quarters of an ulp at each end: half an ulp each is lost unless they meet.
    CHECK(dot(e, {{t, t}, {t, 0}, {t, 0}, {t, 0}, {t, 0}, {t, 0}, {t, 0}, {t, 0}, {t, t}}, 1.0F) ==
          bits(1.0F + power(-23)));
    CHECK(dot(e, {{t, t}}, 1.0F) == bits(1.0F));
  }
}

TEST_CASE("tensor core: the result is truncated, not rounded") {
  for (Elem e : {Elem::F16, Elem::BF16}) {
    CHECK(dot(e, {{power(-12), 1.5 * power(-12)}}, 1.0F) == bits(1.0F));
    CHECK(dot(e, {{-power(-12), power(-12)}}, 1.0F) == bits(1.0F - power(-24)));
    CHECK(dot(e, {{-power(-13), power(-12)}}, 1.0F) == bits(1.0F - power(-24)));
    CHECK(dot(e, {{-1.5 * power(-12), power(-12)}}, -1.0F) == bits(-1.0F));
  }
}

TEST_CASE("tensor core: a product aligns by the sum of its factors' exponents") {
  for (Elem e : {Elem::F16, Elem::BF16}) {
    // 2.25 counts as exponent 0: 2^-25 is kept and lifts 2^-23's neighbours.
    const double t = power(-13), u = power(-12);
    CHECK(dot(e, {{1.5, 1.5}, {-1.5, 1.5}, {t, u}}, 0.0F) == bits(power(-25)));
    CHECK(dot(e, {{2, 1}, {-2, 1}, {t, u}}, 0.0F) == 0);
    // Zeros align nothing, however large their partner.
    const double large = e == Elem::F16 ? 65504 : 0x1p127;
    CHECK(dot(e, {{large, 0}, {0, -large}, {u, u}}, 0.0F) == bits(power(-24)));
  }
  // A subnormal factor counts with the smallest normal exponent: 2^-24 * 2^15 with -14 + 15.
  const double t = power(-13), u = power(-12);
  CHECK(dot(Elem::F16, {{0x1p-24, 0x1p15}, {t, u}}, 0.0F) == bits(power(-9)));
  CHECK(dot(Elem::F16, {{0x1p-24, 0x1p14}, {t, u}}, 0.0F) == bits(power(-10) + power(-25)));
  CHECK(dot(Elem::F16, {{0x1p-24, 0x1p-24}}, 0.0F) == bits(power(-48)));
}

TEST_CASE("tensor core: small sums are aligned at 2^-158 and end as subnormal numbers") {
  const Elem e = Elem::BF16;
  CHECK(dot(e, {{0x1p-100, 0x1p-49}}, 0.0F) == 1);
  CHECK(dot(e, {{0x1p-100, 0x1p-50}}, 0.0F) == 0);
  CHECK(dot(e, {{0x1p-100, 0x1p-50}, {0x1p-100, 0x1p-50}}, 0.0F) == 1);
  // 2^-149 less one unit of 2^-158 is below the smallest; less half a unit it is whole.
  CHECK(dot(e, {{0x1p-100, 0x1p-49}, {-0x1p-100, 0x1p-58}}, 0.0F) == 0);
  CHECK(dot(e, {{0x1p-100, 0x1p-49}, {-0x1p-100, 0x1p-59}}, 0.0F) == 1);
  CHECK(dot(e, {{-0x1p-100, 0x1p-49}}, 0.0F) == (negative | 1));
  // Subnormal starts and operands count.
  CHECK(dot(e, {}, std::bit_cast<float>(5U)) == 5);
  CHECK(dot(e, {{0x1p-133, 1}}, std::bit_cast<float>(5U)) == 0x10005);
  CHECK(dot(Elem::F16, {}, std::bit_cast<float>(negative | 5)) == (negative | 5));
}

TEST_CASE("tensor core: a zero result is positive") {
  for (Elem e : {Elem::F16, Elem::BF16}) {
    CHECK(dot(e, {{-0.0, 1}, {-1, 0}}, -0.0F) == 0);
    CHECK(dot(e, {{1, 1}, {1, -1}}, -0.0F) == 0);
    CHECK(dot(e, {{1, -1}}, 1.0F) == 0);
  }
  CHECK(dot(Elem::BF16, {{-0x1p-100, 0x1p-60}}, -0.0F) == 0);
}

TEST_CASE("tensor core: sums from 2^128 on are infinite, not the largest number") {
  const float most = std::numeric_limits<float>::max();
  const Elem e = Elem::BF16;
  CHECK(dot(e, {{0x1p64, 0x1p64}}, 0.0F) == infinity);
  CHECK(dot(e, {{-0x1p100, 0x1p100}}, 0.0F) == (infinity | negative));
  CHECK(dot(e, {{0x1p100, 0x1p3}}, most) == bits(most));  // cut to less than 2^128
  CHECK(dot(e, {{0x1p100, 0x1p4}}, most) == infinity);
  CHECK(dot(e, {{0x1p100, 0x1p100}, {0x1p100, -0x1p100}}, 1.0F) == 0);  // no infinity between
}

TEST_CASE("tensor core: infinities and NaN") {
  for (Elem e : {Elem::F16, Elem::BF16}) {
    CHECK(dot(e, {{inf, 2}}, 1.0F) == infinity);
    CHECK(dot(e, {{inf, -2}}, 1.0F) == (infinity | negative));
    CHECK(dot(e, {{inf, e == Elem::F16 ? 0x1p-24 : 0x1p-133}}, 0.0F) == infinity);
    CHECK(dot(e, {{1, 1}}, static_cast<float>(-inf)) == (infinity | negative));
    CHECK(dot(e, {{inf, 0}}, 1.0F) == nan_bits);
    CHECK(dot(e, {{inf, 1}, {-inf, 1}}, 1.0F) == nan_bits);
    CHECK(dot(e, {{inf, -1}}, static_cast<float>(inf)) == nan_bits);
    CHECK(dot(e, {{1, 1}}, std::bit_cast<float>(0xff800001U)) == nan_bits);
    CHECK(dot(e, {{std::nan(""), 0}}, static_cast<float>(inf)) == nan_bits);
  }
}

TEST_CASE("tensor core: signed bytes wrap") {
  std::array<std::int8_t, 32> a, b;
  a.fill(-128);
  b.fill(-128);
  constexpr std::int32_t product = 32 * 128 * 128, most = std::numeric_limits<std::int32_t>::max();
  CHECK(ir::mma_dot_s8(a.data(), b.data(), 32, -7) == product - 7);
  CHECK(ir::mma_dot_s8(a.data(), b.data(), 32, most - product) == most);
  CHECK(ir::mma_dot_s8(a.data(), b.data(), 32, most - product + 1) == -most - 1);
  b.fill(127);
  CHECK(ir::mma_dot_s8(a.data(), b.data(), 32, -most - 1) == most - 32 * 128 * 127 + 1);
}

TEST_CASE("tensor core: elements measured on an H200") {
  int row = 0;
  for (const test::MeasuredDot& m : test::measured_dots) {
    const std::vector<std::uint16_t> a = operands(m.a), b = operands(m.b);
    INFO("row " << row++);
    CHECK(bits(ir::mma_dot(m.type, a.data(), b.data(), static_cast<int>(a.size()),
                           std::bit_cast<float>(m.c))) == m.d);
  }
  CHECK(row >= 40);
}

TEST_CASE("tensor core: chained wgmmas measured on an H200 are sums in their order") {
  auto chained = [](const test::MeasuredDot& m, std::initializer_list<int> order, int n) {
    const std::vector<std::uint16_t> a = operands(m.a), b = operands(m.b);
    float d = std::bit_cast<float>(m.c);
    for (int step : order) d = ir::mma_dot(m.type, &a[step * n], &b[step * n], n, d);
    return bits(d);
  };
  int row = 0;
  for (const test::MeasuredDot& m : test::measured_chains) {
    INFO("row " << row++);
    CHECK(chained(m, {0, 1, 2, 3}, 16) == m.d);
    CHECK(chained(m, {3, 2, 1, 0}, 16) != m.d);
    CHECK(chained(m, {0, 1, 2, 3, 4, 5, 6, 7}, 8) != m.d);
  }
  CHECK(row == 12);
}

TEST_CASE("tensor core: zeros at the end and the order of terms change no bit") {
  for (Elem e : {Elem::F16, Elem::BF16}) {
    RandomOperands next(e);
    int wrong = 0;
    for (int round = 0; round < 5000; ++round) {
      const int n = 1 + round % 15;
      std::array<std::uint16_t, 16> a{}, b{};
      for (int i = 0; i < n; ++i) {
        a[i] = next();
        b[i] = next();
      }
      const float c = next.start();
      const std::uint32_t expected = bits(ir::mma_dot(e, a.data(), b.data(), n, c));
      wrong += bits(ir::mma_dot(e, a.data(), b.data(), 16, c)) != expected;
      std::reverse(a.begin(), a.end());
      std::reverse(b.begin(), b.end());
      wrong += bits(ir::mma_dot(e, a.data(), b.data(), 16, c)) != expected;
    }
    CHECK(wrong == 0);
  }
}

TEST_CASE("tensor core: a tile is its dots") {
  for (Elem e : {Elem::F16, Elem::BF16}) {
    for (int n : {8, 16}) {
      RandomOperands next(e);
      int wrong = 0;
      for (int round = 0; round < 50; ++round) {
        std::vector<std::uint16_t> a(16 * n), b(8 * n);
        std::array<float, 128> c, d;
        std::generate(a.begin(), a.end(), std::ref(next));
        std::generate(b.begin(), b.end(), std::ref(next));
        for (float& x : c) x = next.start();
        ir::mma_tile(e, a.data(), b.data(), n, c.data(), d.data());
        for (int i = 0; i < 128; ++i) {
          const float one = ir::mma_dot(e, &a[i / 8 * n], &b[i % 8 * n], n, c[i]);
          wrong += bits(d[i]) != bits(one);
        }
        ir::mma_tile(e, a.data(), b.data(), n, c.data(), c.data());
        for (int i = 0; i < 128; ++i) wrong += bits(c[i]) != bits(d[i]);
      }
      CHECK(wrong == 0);
    }
  }
}
