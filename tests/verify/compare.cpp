// SPDX-License-Identifier: Apache-2.0
#include "verify/compare.h"

#include <catch2/catch.hpp>

#include "interp_run.h"

using namespace barline;
using namespace barline::verify;
using ir::Elem;

namespace {

Comparison of(std::vector<float> got, std::vector<float> want, Tolerance t = {}) {
  return compare(tensor(Elem::F32, got), tensor(Elem::F32, want), t);
}
const float nan_a = std::bit_cast<float>(0x7fc00001u), nan_b = std::bit_cast<float>(0xffffffffu);

}  // namespace

TEST_CASE("exact comparison: bits, all NaNs alike, zeros apart") {
  REQUIRE(of({1, 2, nan_a}, {1, 2, nan_b}));
  Comparison c = of({1, 0.0f}, {1, -0.0f});
  REQUIRE(!c);
  REQUIRE(c.first_bad == 1);
  REQUIRE(c.max_ulp == 0);
  c = of({1, 2, 3}, {1, nan_a, 3});
  REQUIRE(c.first_bad == 1);
  REQUIRE(c.max_ulp == INT64_MAX);
}

TEST_CASE("bounds in ulp, absolute and relative") {
  float next = std::nextafter(1.0f, 2.0f), tiny = std::nextafter(0.0f, -1.0f);
  REQUIRE(!of({next}, {1}));
  REQUIRE(of({next}, {1}, {.ulp = 1}));
  REQUIRE(of({next}, {1}).max_ulp == 1);
  REQUIRE(of({tiny}, {std::nextafter(0.0f, 1.0f)}).max_ulp == 2);
  REQUIRE(of({1.01f}, {1}, {.absolute = 0.02}));
  REQUIRE(!of({1.03f}, {1}, {.absolute = 0.02}));
  REQUIRE(of({102}, {100}, {.relative = 0.03}));
  REQUIRE(!of({nan_a}, {100}, {.relative = 1e9}));
  REQUIRE(!of({INFINITY}, {3e38f}, {.ulp = 0, .relative = 1}));
  Comparison c = of({1, 5, 7, 9}, {1, 4, 7, 11});
  REQUIRE(c.bad == 2);
  REQUIRE(c.max_absolute == 2);
  REQUIRE(to_string(c).find("2 elements differ, first [1]: got 5 (0x40a00000), want 4") == 0);
}

TEST_CASE("other element types: bf16, signed bytes, nibbles") {
  Comparison c = compare(tensor<std::uint16_t>(Elem::BF16, {0x3f81}),
                         tensor<std::uint16_t>(Elem::BF16, {0x3f80}), {.ulp = 1});
  REQUIRE(c);
  REQUIRE(c.max_ulp == 1);
  c = compare(tensor<std::int8_t>(Elem::S8, {-128}), tensor<std::int8_t>(Elem::S8, {127}));
  REQUIRE(c.max_ulp == 255);
  REQUIRE(c.got == -128);
  ir::Tensor a(Elem::S4, {4}), b(Elem::S4, {4});
  a.data[1] = std::byte(0xf0);
  c = compare(a, b);
  REQUIRE(c.first_bad == 3);
  REQUIRE(c.got == -1);
}

TEST_CASE("bounds of each element's own, at some places") {
  ir::Tensor got = tensor<float>(Elem::F32, {1, 2, 3, INFINITY, nan_a});
  const std::vector<std::int64_t> places{0, 2, 3, 4};
  const std::vector<double> value{1.5, 3, INFINITY, std::nan("")}, slack{1, 0, 0, 0};
  Comparison c = compare_within(got, places, value, slack);
  REQUIRE(c);
  REQUIRE(c.max_share == 0.5);
  REQUIRE(bound_text(c).find("within the declared bound: at most 0.5 of it") == 0);
  c = compare_within(got, places, std::vector<double>{2.5, 3, -INFINITY, 0}, slack);
  REQUIRE(c.bad == 3);
  REQUIRE(c.first_bad == 0);
  REQUIRE(bound_text(c).find("3 elements past the declared bound, first [0]: got 1 (0x3f800000)") ==
          0);
}

TEST_CASE("a comparison at some places sees these alone") {
  ir::Tensor a = tensor<float>(Elem::F32, {1, 2, 3, 4}), b = tensor<float>(Elem::F32, {1, 9, 3, 8});
  REQUIRE(compare(a, b, {}, std::vector<std::int64_t>{0, 2}));
  Comparison c = compare(a, b, {}, std::vector<std::int64_t>{0, 3});
  REQUIRE(c.bad == 1);
  REQUIRE(c.first_bad == 3);
}

TEST_CASE("tensors of other types or shapes are not comparable") {
  REQUIRE(compare(ir::Tensor(Elem::F32, {4}), ir::Tensor(Elem::F32, {2, 2})).problem ==
          "shape [4] against [2, 2]");
  REQUIRE(compare(ir::Tensor(Elem::F32, {4}), ir::Tensor(Elem::S32, {4})).problem ==
          "f32 against s32");
}
