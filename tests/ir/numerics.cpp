// SPDX-License-Identifier: Apache-2.0
// Float and integer arithmetic of ir/numerics.h against wider references and PTX's edge rules.
#include "ir/numerics.h"

#include <catch2/catch.hpp>
#include <random>

using namespace barline::ir;

namespace {

constexpr float inf = std::numeric_limits<float>::infinity();
constexpr uint32_t nan32 = 0x7fffffff;

uint32_t bits(float x) { return std::bit_cast<uint32_t>(x); }
uint64_t bits(double x) { return std::bit_cast<uint64_t>(x); }
float f32(uint32_t b) { return std::bit_cast<float>(b); }

/// Random bits, so that every exponent and the edges occur; half of the time near another value.
class RandomFloats {
 public:
  float operator()() {
    const auto r = static_cast<uint32_t>(engine_());
    if (engine_() & 1) return f32(r);
    return f32((r & 0x80ffffff) | 0x3f000000 | (r & 0x01000000));
  }

 private:
  std::mt19937 engine_{20240229};
};

/// a * b + c by the textbook: the exact product, a sum rounded to odd, one rounding.
float fma_by_odd(float a, float b, float c) {
  return num::canonical(static_cast<float>(num::add_to_odd(double{a} * b, c)));
}

template <class T>
double exact(T x) {
  return num::to_f64(x);
}

}  // namespace

TEST_CASE("f32 fma is rounded once: the instruction, libm and round-to-odd agree") {
  RandomFloats next;
  int wrong = 0;
  for (int i = 0; i < 1'000'000; ++i) {
    float a = next(), b = next(), c = next();
    if (i % 3 == 0) c = -a * b;  // cancellation
    const float got = num::fma(a, b, c);
    wrong += bits(got) != bits(num::canonical(std::fma(a, b, c)));
    wrong += bits(got) != bits(fma_by_odd(a, b, c));
  }
  CHECK(wrong == 0);
}

TEST_CASE("f64 fma agrees with libm") {
  std::mt19937_64 engine{7};
  int wrong = 0;
  for (int i = 0; i < 100'000; ++i) {
    const auto a = std::bit_cast<double>(engine()), b = std::bit_cast<double>(engine());
    const auto c = i & 1 ? -a * b : std::bit_cast<double>(engine());
    wrong += bits(num::fma(a, b, c)) != bits(num::canonical(std::fma(a, b, c)));
  }
  CHECK(wrong == 0);
}

TEST_CASE("a NaN result is the canonical NaN of its type") {
  CHECK(bits(num::add(inf, -inf)) == nan32);
  CHECK(bits(num::sub(f32(0xffc12345), 1.0f)) == nan32);
  CHECK(bits(num::mul(0.0f, inf)) == nan32);
  CHECK(bits(num::div(0.0f, 0.0f)) == nan32);
  CHECK(bits(num::sqrt(-1.0f)) == nan32);
  CHECK(bits(num::fma(inf, 0.0f, 1.0f)) == nan32);
  CHECK(bits(num::add(double{inf}, -double{inf})) == 0x7fffffffffffffff);
  CHECK(num::add(f16_t{0x7c00}, f16_t{0xfc00}).bits == 0x7fff);
  CHECK(num::mul(bf16_t{0x7f80}, bf16_t{0}).bits == 0x7fff);
  CHECK(num::sqrt(f16_t{0xbc00}).bits == 0x7fff);
  CHECK(bits(num::sqrt(-0.0f)) == 0x80000000);
}

TEST_CASE("min and max return the number and order the zeros") {
  const float nan = f32(0xffc00001);
  CHECK(num::min(nan, 2.0f) == 2.0f);
  CHECK(num::max(2.0f, nan) == 2.0f);
  CHECK(bits(num::min(nan, nan)) == nan32);
  CHECK(bits(num::min(0.0f, -0.0f)) == 0x80000000);
  CHECK(bits(num::min(-0.0f, 0.0f)) == 0x80000000);
  CHECK(bits(num::max(-0.0f, 0.0f)) == 0);
  CHECK(num::max(-inf, -1.0f) == -1.0f);
  CHECK(num::min(-3.0, 4.0) == -3.0);
  CHECK(num::max(f16_t{0x7e01}, f16_t{0x3c00}).bits == 0x3c00);
  CHECK(num::min(f16_t{0x8000}, f16_t{0}).bits == 0x8000);
  CHECK(num::max(bf16_t{0x8000}, bf16_t{0}).bits == 0);
  CHECK(num::min(bf16_t{0xffff}, bf16_t{0x7fff}).bits == 0x7fff);
}

TEST_CASE("neg and abs are operations on the sign bit") {
  CHECK(bits(num::neg(0.0f)) == 0x80000000);
  CHECK(bits(num::abs(f32(0xffc00001))) == 0x7fc00001);
  CHECK(num::neg(f16_t{0x7e01}).bits == 0xfe01);
  CHECK(num::abs(bf16_t{0xff80}).bits == 0x7f80);
  CHECK(num::abs(-2.5) == 2.5);
}

TEMPLATE_TEST_CASE("16-bit arithmetic is the exact result rounded once", "", f16_t, bf16_t) {
  std::mt19937 engine{11};
  const auto next = [&] { return TestType{uint16_t(engine())}; };
  int wrong = 0;
  for (int i = 0; i < 200'000; ++i) {
    const TestType a = next(), b = next();
    const long double x = exact(a), y = exact(b);  // 64-bit significands: a second, wider path
    const auto rounded = [](long double v) {
      // Rounded to odd into a double first, which keeps a later rounding innocent.
      double d = static_cast<double>(v);
      if (v == v && d != v && !(bits(d) & 1))
        d = std::bit_cast<double>(bits(d) + ((v > d) == (d > 0) ? 1 : -1));
      return num::from_f64<TestType>(d).bits;
    };
    wrong += num::mul(a, b).bits != rounded(x * y);
    wrong += num::div(a, b).bits != rounded(x / y);
    wrong += num::add(a, b).bits != rounded(x + y);
    wrong += num::sub(a, b).bits != rounded(x - y);
    wrong += num::sqrt(a).bits != rounded(std::sqrt(x));
  }
  CHECK(wrong == 0);
}

TEMPLATE_TEST_CASE("16-bit fma is rounded once", "", f16_t, bf16_t) {
  std::mt19937 engine{12};
  const auto next = [&] { return TestType{uint16_t(engine())}; };
  int wrong = 0;
  for (int i = 0; i < 300'000; ++i) {
    const TestType a = next(), b = next();
    TestType c = next();
    if (i % 3 == 0) c = num::neg(num::mul(a, b));
    // In 128-bit integers where the exponents allow it: all terms over 2^-60.
    const double x = exact(a), y = exact(b), z = exact(c), product = x * y;
    const auto in_range = [](double v) {
      return v == 0 || (std::fabs(v) < 0x1p50 && std::fabs(v) > 0x1p-30);
    };
    if (!in_range(x) || !in_range(y) || !in_range(z) || !in_range(product)) continue;
    const __int128 sum = (__int128(product * 0x1p55)) + (__int128(z * 0x1p55));
    if (sum == 0) continue;
    const bool negative = sum < 0;
    unsigned __int128 size = negative ? -sum : sum;
    int exponent = 63 - 55;
    while (size >> 64) size = (size >> 1) | (size & 1), ++exponent;
    const int zeros = std::countl_zero(uint64_t(size));
    const auto want = num::encode<TestType>(negative, exponent - zeros, uint64_t(size) << zeros,
                                            Rounding::Rn, Overflow::Infinity);
    wrong += num::fma(a, b, c).bits != want;
  }
  CHECK(wrong == 0);
}

TEST_CASE("16-bit fma where two roundings go wrong") {
  // 1 + 2^-11 is a tie of f16; the 2^-24 of c decides it.
  CHECK(num::fma(f16_t{0x3c01}, f16_t{0x3c00}, f16_t{0}).bits == 0x3c01);
  CHECK(num::fma(f16_t{0x1000}, f16_t{0x3c00}, f16_t{0x3c00}).bits == 0x3c00);  // 1 + 2^-11: even
  // (2^-11 + 2^-21) + 1 lies above the tie.
  CHECK(num::fma(f16_t{0x1001}, f16_t{0x3c00}, f16_t{0x3c00}).bits == 0x3c01);
  // bf16: 1 + 2^-8 is a tie; 2^-100 * 2^-33 decides, far below f64's last place.
  const bf16_t tie = num::to_bf16(1.0f + 0x1p-7f);
  CHECK(num::fma(num::to_bf16(0x1p-8f), tie, num::to_bf16(1.0f)).bits == 0x3f81);
  CHECK(num::fma(num::to_bf16(-0x1p-100f), num::to_bf16(0x1p-33f), tie).bits == tie.bits);
}

TEMPLATE_TEST_CASE("integer results wrap and shifts clamp", "", int8_t, uint8_t, int16_t, uint16_t,
                   int32_t, uint32_t, int64_t, uint64_t) {
  using T = TestType;
  using Limits = std::numeric_limits<T>;
  constexpr uint32_t width = 8 * sizeof(T);
  const T most = Limits::max(), least = Limits::min();
  CHECK(num::add(most, T(1)) == least);
  CHECK(num::sub(least, T(1)) == most);
  CHECK(num::mul(most, most) == T(1));
  CHECK(num::neg(least) == least);
  CHECK(num::shl(T(1), width - 1) == (Limits::is_signed ? least : T(T(1) << (width - 1))));
  CHECK(num::shl(T(1), width) == T(0));
  CHECK(num::shl(T(1), 0xffffffff) == T(0));
  CHECK(num::shr(most, width) == T(0));
  CHECK(num::shr(T(-1), width + 5) == (Limits::is_signed ? T(-1) : T(0)));
  CHECK(num::div(T(7), T(2)) == T(3));
  CHECK(num::rem(T(7), T(2)) == T(1));
  CHECK(num::popc(T(-1)) == int32_t(width));
  CHECK(num::clz(T(1)) == int32_t(width) - 1);
  CHECK(num::clz(T(0)) == int32_t(width));
  CHECK(num::brev(T(1)) == num::shl(T(1), width - 1));
  CHECK(num::min(least, most) == least);
  CHECK(num::max(least, most) == most);
  if (Limits::is_signed) {
    CHECK(num::abs(least) == least);
    CHECK(num::div(least, T(-1)) == least);
    CHECK(num::rem(least, T(-1)) == T(0));
    CHECK(num::div(T(-7), T(2)) == T(-3));
    CHECK(num::rem(T(-7), T(2)) == T(-1));
    CHECK(num::mul_hi(T(-1), T(1)) == T(-1));
  } else {
    CHECK(num::mul_hi(most, most) == T(most - 1));
  }
}

TEST_CASE("bytes are permuted as prmt does") {
  CHECK(num::byte_permute(0x33221100, 0x77665544, 0x3210) == 0x33221100);
  CHECK(num::byte_permute(0x33221100, 0x77665544, 0x7531) == 0x77553311);
  CHECK(num::byte_permute(0x00008000, 0, 0x9999) == 0xffffffff);
  CHECK(num::byte_permute(0x00007f00, 0, 0x9991) == 0x0000007f);
}
