// SPDX-License-Identifier: Apache-2.0
// The references of the output projection: small cases worked by hand, and what each order shares
// with the others.
#include "kernels/reference/wo.h"

#include <catch2/catch.hpp>
#include <cmath>

#include "ir/numerics.h"
#include "wo_operands.h"

using namespace barline;
using namespace barline::formats;
using namespace barline::kernels::reference;
using namespace barline::test;
using Catch::Matchers::Contains;
using ir::Elem;

TEST_CASE("a slot sums floor(k_head * part / split) on", "[kernels]") {
  CHECK(wo_range(6144, {4, 1}, 0) == WoRange{0, 1536});
  CHECK(wo_range(6144, {4, 1}, 3) == WoRange{4608, 6144});
  CHECK(wo_range(6144, {4, 8}, 0) == WoRange{0, 192});
  CHECK(wo_range(6144, {4, 8}, 31) == WoRange{5952, 6144});
  CHECK(wo_range(6144, {4, 2}, 5) == WoRange{3840, 4608});
  CHECK(wo_range(6144, {4, 5}, 1) == WoRange{307, 614});  // 1536 / 5 = 307.2
  CHECK(wo_range(6144, {4, 5}, 4) == WoRange{1228, 1536});
}

TEST_CASE("slots are taken from one to the next without a gap", "[kernels]") {
  for (std::int64_t split = 1; split <= 16; ++split)
    for (std::int64_t slot = 0, at = 0; slot < 4 * split; ++slot) {
      const WoRange r = wo_range(6144, {4, split}, slot);
      REQUIRE(r.first == at);
      REQUIRE(r.last > r.first);
      at = r.last;
      if (slot == 4 * split - 1) REQUIRE(at == 6144);
    }
}

TEST_CASE("one row of four heads, by hand", "[kernels]") {
  // x = 1, codes 2 (1.0) but for a 6 at the first k of each head: a head sums 15 + 6.
  Matrix w = matrix(1, 64, 0.5f);
  ir::Tensor x(Elem::BF16, {1, 64});
  for (int k = 0; k < 64; ++k) {
    set_e2m1(w.codes.data.data(), k, {static_cast<std::uint8_t>(k % 16 ? 2 : 7)});
    x.as<std::uint16_t>()[k] = 0x3f80;
  }
  for (int g = 0; g < 4; ++g) w.scales.set(0, g, {static_cast<std::uint8_t>(0x38 + 8 * g)});
  const WoSums s1 = wo_split_order(x, w, {4, 1});
  for (int head = 0; head < 4; ++head)
    CHECK(s1.partial.as<float>()[head] == 10.5f * static_cast<float>(1 << head));
  CHECK(s1.y.as<float>()[0] == 157.5f);
  const WoSums s4 = wo_split_order(x, w, {4, 4});
  CHECK(s4.partial.shape == std::vector<std::int64_t>{1, 16, 1});
  CHECK(s4.partial.as<float>()[0] == 4.5f);
  CHECK(s4.partial.as<float>()[1] == 2.0f);
  CHECK(s4.partial.as<float>()[15] == 16.0f);
  CHECK(s4.y.as<float>()[0] == 157.5f);
  CHECK(wo_matmul(x, w).as<double>()[0] == 157.5);
}

TEST_CASE("a chain rounds the product, then the sum; fma rounds once", "[kernels]") {
  // Head 0: 1 * w0 first, then x1 * w1 whose product needs 26 bits. The other heads are zero.
  Matrix w = matrix(1, 64, 1 / 3.0f);
  ir::Tensor x(Elem::BF16, {1, 64});
  w.scales.set(0, 0, one);
  set_e2m1(w.codes.data.data(), 0, {2});
  set_e2m1(w.codes.data.data(), 1, {3});
  const float third = 1 / 3.0f, x1 = 1.9921875f;  // 255/128: 8 bits
  x.as<std::uint16_t>()[0] = 0x3f80;
  x.as<std::uint16_t>()[1] = ir::num::to_bf16(x1).bits;
  const float w1 = 1.5f * third;
  CHECK(wo_split_order(x, w, {4, 1}).y.as<float>()[0] == third + x1 * w1);
  CHECK(wo_split_order(x, w, {4, 1}, WoStep::Fma).y.as<float>()[0] == std::fma(x1, w1, third));
}

TEST_CASE("slots are folded from slot 0 upwards", "[kernels]") {
  // Heads 2^24, 1, 1, 0: from the left both ones are lost, from the right they are not.
  Matrix w = matrix(1, 64, 1);
  ir::Tensor x(Elem::BF16, {1, 64});
  for (int head = 0; head < 3; ++head) {
    set_e2m1(w.codes.data.data(), head * 16, {2});
    w.scales.set(0, head, one);
    x.as<std::uint16_t>()[head * 16] = ir::num::to_bf16(head ? 1.0f : 0x1p24f).bits;
  }
  CHECK(wo_split_order(x, w, {4, 1}).y.as<float>()[0] == 0x1p24f);
  CHECK(wo_matmul(x, w).as<double>()[0] == 0x1p24 + 2);
}

TEST_CASE("the chained order is that of split 1, and every split near f64", "[kernels]") {
  const ir::Tensor x = random_x(3, 256);
  for (float global : {1.0f, 0.0123f, 1 / 3.0f}) {
    const Matrix w = random_matrix(11, 256, global);
    const ir::Tensor exact = wo_matmul(x, w), chained = wo_chained(x, w);
    CHECK(differing(wo_split_order(x, w, {4, 1}).y, chained) == 0);
    for (std::int64_t split : {1, 2, 4, 8, 5}) {
      const ir::Tensor y = wo_split_order(x, w, {4, split}).y;
      if (split > 1) CHECK(differing(y, chained) > 0);
      for (std::int64_t i = 0; i < y.count(); ++i) {
        float most = 0;  // no sum exceeds the sum of magnitudes
        for (std::int64_t k = 0; k < 256; ++k)
          most += std::fabs(ir::num::to_f32(ir::bf16_t{x.as<std::uint16_t>()[i / 11 * 256 + k]}) *
                            w.value(i % 11, k));
        REQUIRE(std::fabs(y.as<float>()[i] - exact.as<double>()[i]) <= 300 * 0x1p-24 * most);
      }
    }
  }
}

TEST_CASE("fma and mul-add agree where products are exact, and only there", "[kernels]") {
  const ir::Tensor x = random_x(2, 256);
  auto both = [&](float global) {
    const Matrix w = random_matrix(16, 256, global);
    return differing(wo_split_order(x, w, {4, 2}).y, wo_split_order(x, w, {4, 2}, WoStep::Fma).y);
  };
  CHECK(both(1.0f) == 0);
  CHECK(both(0x1p-9f) == 0);
  CHECK(both(0.0123f) > 0);
}

TEST_CASE("the fused order is fma's where the global scale is a power of two, and only there",
          "[kernels]") {
  const ir::Tensor x = random_x(2, 1536);
  auto differ = [&](float global) {
    const Matrix w = random_matrix(8, 1536, global);
    return differing(wo_fused_order(x, w, {4, 2}), wo_split_order(x, w, {4, 2}, WoStep::Fma).y);
  };
  CHECK(differ(0x1p-9f) == 0);
  CHECK(differ(0.0123f) > 0);
}

TEST_CASE("the order of the scales does not change a bit of the result", "[kernels]") {
  const ir::Tensor x = random_x(2, 128);
  const Matrix w = random_matrix(130, 128, 0.0123f);
  const Nvfp4Matrix<ScaleOrder::Swizzled> swizzled{w.codes, swizzle(w.scales), w.global_scale};
  CHECK(differing(wo_split_order(x, w, {4, 2}).y, wo_split_order(x, swizzled, {4, 2}).y) == 0);
  CHECK(differing(wo_chained(x, w), wo_chained(x, swizzled)) == 0);
}

TEST_CASE("a NaN scale reaches the rows that have it alone", "[kernels]") {
  const ir::Tensor x = random_x(1, 64);
  Matrix w = random_matrix(3, 64, 0.0123f);
  w.scales.set(1, 2, {0x7f});
  const WoSums s = wo_split_order(x, w, {4, 1});
  CHECK(s.y.as<std::uint32_t>()[1] == 0x7fffffff);
  CHECK(!std::isnan(s.y.as<float>()[0]));
  CHECK(!std::isnan(s.y.as<float>()[2]));
  CHECK(std::isnan(s.partial.as<float>()[2 * 3 + 1]));
  CHECK(!std::isnan(s.partial.as<float>()[1 * 3 + 1]));
}

TEST_CASE("operands that do not fit are refused", "[kernels]") {
  const Matrix w = random_matrix(2, 64, 1);
  CHECK_THROWS_WITH(wo_split_order(random_x(1, 128), w, {4, 1}),
                    Contains("x is bf16 [1, 128]") && Contains("pass bf16 [B, 64]"));
  CHECK_THROWS_WITH(wo_split_order(random_x(1, 64), w, {4, 17}), Contains("17 parts"));
  CHECK_THROWS_WITH(wo_split_order(random_x(1, 64), w, {4, 0}), Contains("0 parts"));
  CHECK_THROWS_WITH(wo_chained(random_x(1, 64), w, 3), Contains("multiple of the heads"));
}
