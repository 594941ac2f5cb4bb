// SPDX-License-Identifier: Apache-2.0
// The two references of a product against each other: the tensor core's chain lies within the f64
// reference's bound, which is not so wide that a missing product passes.
#include "kernels/reference/tiles.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <random>

#include "dsl/sample.h"
#include "ir/half.h"

using namespace barline;
using namespace barline::kernels::reference;
using ir::Elem;

namespace {

constexpr Adder sm_90{.products = 16, .fraction = 25};

std::uint16_t bits_of(Elem e, float v) {
  return e == Elem::F16 ? ir::num::to_f16(v).bits : ir::num::to_bf16(v).bits;
}

/// Elements of about 2^-spread .. 2^spread, some of them subnormal and some zero.
Operand random_operand(Elem e, std::int64_t rows, std::int64_t k, unsigned seed, int spread) {
  std::mt19937 engine(seed);
  std::uniform_real_distribution<float> exponent(float(-spread), float(spread));
  return {e, rows, k, [&](auto, auto) {
            float v = std::exp2(exponent(engine));
            unsigned kind = engine() % 64;
            if (kind == 0) v = 0;
            if (kind == 1) v = e == Elem::F16 ? 0x1p-24f * float(engine() % 1024) : 0x1p-130f;
            return bits_of(e, engine() % 2 ? v : -v);
          }};
}

double worst_share(const Operand& a, const Operand& b, Adder adder) {
  auto places = dsl::sample_places(a.rows() * b.rows(), 1);
  std::vector<float> got = mma_sums(a, b, places);
  dsl::ErrorBound want = exact_sums(a, b, places, adder);
  double worst = 0;
  for (std::size_t i = 0; i < got.size(); ++i)
    worst = std::max(worst, std::abs(got[i] - want.value[i]) / want.slack[i]);
  return worst;
}

}  // namespace

TEST_CASE("the tensor core's chain lies within the bound", "[kernels]") {
  for (Elem e : {Elem::F16, Elem::BF16})
    for (int spread : {0, 3, 7, e == Elem::F16 ? 14 : 60})
      for (std::int64_t k : {1, 15, 16, 17, 80, 1000}) {
        Operand a = random_operand(e, 21, k, unsigned(k), spread);
        Operand b = random_operand(e, 11, k, unsigned(k) + 1, spread);
        INFO(ir::name(e) << " spread " << spread << " k " << k);
        CHECK(worst_share(a, b, sm_90) <= 1);
        CHECK(worst_share(a, b, {}) <= 1);
      }
}

TEST_CASE("subnormal operands alone lie within the bound", "[kernels]") {
  std::mt19937 engine(1);
  auto tiny = [&](auto, auto) { return std::uint16_t(engine() % 1024 | engine() % 2 << 15); };
  auto any = [&](auto, auto) { return std::uint16_t(engine() % 0x7bff | engine() % 2 << 15); };
  Operand a(Elem::F16, 16, 64, tiny), b(Elem::F16, 16, 64, tiny), c(Elem::F16, 16, 64, any);
  CHECK(worst_share(a, b, sm_90) <= 1);
  CHECK(worst_share(a, c, sm_90) <= 1);
}

TEST_CASE("the bound is narrow: a dropped product of usual size is outside", "[kernels]") {
  Operand a = random_operand(Elem::F16, 16, 1024, 1, 2),
          b = random_operand(Elem::F16, 8, 1024, 2, 2);
  Operand less = a;
  for (std::int64_t r = 0; r < 16; ++r) less.row(r)[700] = 0;
  auto places = dsl::sample_places(128, 1);
  std::vector<float> got = mma_sums(less, b, places);
  dsl::ErrorBound want = exact_sums(a, b, places);
  int caught = 0;
  for (std::size_t i = 0; i < got.size(); ++i)
    caught += std::abs(got[i] - want.value[i]) > want.slack[i];
  CHECK(caught > 100);
  CHECK(chain_error(1024, sm_90) < 0.66 * 1024 * 0x1p-24);
  CHECK(chain_error(1024) < 1.4 * 1024 * 0x1p-24);
}

TEST_CASE("one step is what the model says of it", "[kernels]") {
  // 1 and fifteen products of 2^-24: each is 2^-24 of the largest, kept at 25 bits; the result is
  // truncated to 24. With 2^-26 each is lost on its own.
  for (auto [small, want] : {std::pair{0x1p-12f, 1 + 7 * 0x1p-23f}, {0x1p-13f, 1.0f}}) {
    auto element = [s = small](auto, std::int64_t k) {
      return ir::num::to_f16(k == 0 ? 1.0f : s).bits;
    };
    Operand a(Elem::F16, 1, 16, element);
    std::int64_t place = 0;
    CHECK(mma_sums(a, a, {&place, 1})[0] == want);
  }
}

TEST_CASE("a sample has the elements of the whole", "[kernels]") {
  Operand a = random_operand(Elem::BF16, 19, 100, 3, 4),
          b = random_operand(Elem::BF16, 23, 100, 4, 4);
  auto all = dsl::sample_places(19 * 23, 1), some = dsl::sample_places(19 * 23, 7);
  REQUIRE(all.size() == 19 * 23);
  REQUIRE(some.size() == 63);
  std::vector<float> whole = mma_sums(a, b, all), sample = mma_sums(a, b, some);
  for (std::size_t i = 0; i < some.size(); ++i) CHECK(sample[i] == whole[some[i]]);
}

TEST_CASE("infinities and NaN come through", "[kernels]") {
  auto inf = [](auto, std::int64_t k) { return std::uint16_t(k == 3 ? 0x7c00 : 0x3c00); };
  auto zero = [](auto, std::int64_t) { return std::uint16_t(0); };
  Operand a(Elem::F16, 1, 20, inf), b(Elem::F16, 1, 20, zero);
  std::int64_t place = 0;
  CHECK(std::isinf(mma_sums(a, a, {&place, 1})[0]));
  CHECK(std::isinf(exact_sums(a, a, {&place, 1}).value[0]));
  CHECK(std::isnan(mma_sums(a, b, {&place, 1})[0]));
  CHECK(std::isnan(exact_sums(a, b, {&place, 1}).value[0]));
}

TEST_CASE("a bound is rounded as its value is", "[kernels]") {
  double value = 1000.3, slack = 0;
  round_bound(value, slack, Elem::F16);
  CHECK(slack == Approx(1000.3 * 0x1p-11));
  value = 1e-7, slack = 0;
  round_bound(value, slack, Elem::F16);
  CHECK(slack == 0x1p-25);
  value = -70000, slack = 10;
  round_bound(value, slack, Elem::F16);
  CHECK(value == -INFINITY);
  value = 65519, slack = 10;
  round_bound(value, slack, Elem::F16);
  CHECK(slack == INFINITY);
}
