// SPDX-License-Identifier: Apache-2.0
// NVFP4 on the host: where scales stand in either order, what packing keeps, how far quantised
// weights are from theirs.
#include "formats/nvfp4.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <random>
#include <set>
#include <type_traits>

using namespace barline;
using namespace barline::formats;
using Catch::Matchers::Contains;
using ir::Elem;

namespace {

/// Every byte in turn and then at random: NaN codes, denormals, signs and both zeros among them.
LinearScales any_scales(std::int64_t rows, std::int64_t groups, std::mt19937& engine) {
  LinearScales scales(rows, groups);
  for (std::int64_t row = 0; row < rows; ++row)
    for (std::int64_t g = 0; g < groups; ++g) {
      const std::int64_t i = row * groups + g;
      scales.set(row, g, {static_cast<std::uint8_t>(i < 256 ? i : engine())});
    }
  return scales;
}

ir::Tensor weights(std::int64_t n, std::int64_t k, float spread) {
  std::mt19937 engine(7);
  std::normal_distribution<float> normal;
  ir::Tensor w(Elem::F32, {n, k});
  for (std::int64_t i = 0; i < w.count(); ++i)  // groups of very different size
    w.as<float>()[i] = normal(engine) * spread * std::exp2(static_cast<float>(i / 16 % 12) - 6);
  return w;
}

}  // namespace

static_assert(!std::is_convertible_v<LinearScales, SwizzledScales> &&
              !std::is_convertible_v<SwizzledScales, LinearScales>);
static_assert(
    !std::is_assignable_v<Nvfp4Matrix<ScaleOrder::Swizzled>&, Nvfp4Matrix<ScaleOrder::Linear>>);

TEST_CASE("e2m1 codes are packed with the first of two in the low half", "[formats]") {
  std::vector<ir::e2m1_t> codes;
  for (std::uint8_t i = 0; i < 16; ++i) codes.push_back({i});
  auto packed = pack_e2m1(codes);
  REQUIRE(packed.size() == 8);
  CHECK(packed[0] == std::byte{0x10});
  CHECK(packed[7] == std::byte{0xfe});
  CHECK(unpack_e2m1(packed, 16) == codes);
  codes.pop_back();
  CHECK(pack_e2m1(codes).back() == std::byte{0x0e});
  CHECK(unpack_e2m1(packed, 15) == codes);
  CHECK_THROWS_WITH(unpack_e2m1(packed, 17),
                    Contains("17 codes from 8 bytes") && Contains("pass ceil(count / 2) bytes"));
}

TEST_CASE("a code set in a packed byte leaves its neighbour", "[formats]") {
  for (int old = 0; old < 256; ++old)
    for (std::uint8_t code = 0; code < 16; ++code)
      for (std::int64_t i : {0, 1}) {
        std::byte byte{static_cast<std::uint8_t>(old)};
        set_e2m1(&byte, i, {code});
        REQUIRE(e2m1_at(&byte, i).bits == code);
        REQUIRE(e2m1_at(&byte, 1 - i).bits == (i ? old & 15 : old >> 4));
      }
}

TEST_CASE("e2m1 codes mean 0, .5, 1, 1.5, 2, 3, 4, 6 and their negatives", "[formats]") {
  const float magnitudes[] = {0, .5f, 1, 1.5f, 2, 3, 4, 6};
  for (std::uint8_t code = 0; code < 16; ++code) {
    const float value = ir::num::to_f32(ir::e2m1_t{code});
    CHECK(std::fabs(value) == magnitudes[code & 7]);
    CHECK(std::signbit(value) == (code >= 8));
  }
}

TEST_CASE("swizzled scales stand in tiles of 128 rows x 4 groups", "[formats]") {
  // Worked by hand: row 0's groups are neighbours, 32 rows on is 4 bytes on, one row on 16.
  CHECK(scale_offset(ScaleOrder::Swizzled, 384, 0, 3) == 3);
  CHECK(scale_offset(ScaleOrder::Swizzled, 384, 1, 0) == 16);
  CHECK(scale_offset(ScaleOrder::Swizzled, 384, 32, 0) == 4);
  CHECK(scale_offset(ScaleOrder::Swizzled, 384, 96, 2) == 14);
  CHECK(scale_offset(ScaleOrder::Swizzled, 384, 0, 4) == 512);
  CHECK(scale_offset(ScaleOrder::Swizzled, 384, 128, 0) == 96 * 512);
  CHECK(scale_shape(ScaleOrder::Swizzled, 5120, 384) == std::array<std::int64_t, 2>{40, 49152});
  CHECK(scale_shape(ScaleOrder::Swizzled, 129, 5) == std::array<std::int64_t, 2>{2, 1024});
  CHECK(scale_shape(ScaleOrder::Linear, 129, 5) == std::array<std::int64_t, 2>{129, 5});
}

TEST_CASE("no two scales share a byte in either order", "[formats]") {
  for (ScaleOrder order : {ScaleOrder::Linear, ScaleOrder::Swizzled})
    for (auto [rows, groups] : {std::pair<int, int>{1, 1}, {128, 4}, {129, 5}, {300, 13}}) {
      auto [height, width] = scale_shape(order, rows, groups);
      std::set<std::int64_t> taken;
      for (int row = 0; row < rows; ++row)
        for (int g = 0; g < groups; ++g) {
          const std::int64_t at = scale_offset(order, groups, row, g);
          REQUIRE((at >= 0 && at < height * width));
          REQUIRE(taken.insert(at).second);
        }
    }
}

TEST_CASE("swizzling and back keeps every scale's bits", "[formats]") {
  std::mt19937 engine(1);
  for (auto [rows, groups] : {std::pair<int, int>{1, 1}, {70, 4}, {129, 6}, {256, 24}, {300, 13}}) {
    const LinearScales linear = any_scales(rows, groups, engine);
    const SwizzledScales swizzled = swizzle(linear);
    const LinearScales back = unswizzle(swizzled);
    CHECK(back.tensor().data == linear.tensor().data);
    int padding = 0;  // bytes that are no scale's are zero
    for (std::byte b : swizzled.tensor().data) padding += b != std::byte{0};
    for (std::byte b : linear.tensor().data) padding -= b != std::byte{0};
    CHECK(padding == 0);
    for (int row = 0; row < rows; ++row)
      for (int g = 0; g < groups; ++g) REQUIRE(swizzled.at(row, g) == linear.at(row, g));
  }
}

TEST_CASE("scales in a tensor of another shape or type are refused", "[formats]") {
  CHECK_THROWS_WITH(SwizzledScales(LinearScales(128, 8).tensor(), 128, 8),
                    Contains("swizzled scales of 128 rows x 8 groups") && Contains("[128, 8]") &&
                        Contains("pass e4m3 [1, 1024]"));
  CHECK_THROWS_WITH(LinearScales(ir::Tensor(Elem::U8, {4, 2}), 4, 2), Contains("pass e4m3 [4, 2]"));
  CHECK_NOTHROW(LinearScales(ir::Tensor(Elem::E4M3, {4, 2}), 4, 2));
}

TEST_CASE("a value is (code * scale) * global, each product rounded", "[formats]") {
  const ir::e2m1_t six{7}, minus_zero{8}, half{1};
  const ir::e4m3_t denormal{1}, nan{0xff}, largest{0x7e};
  CHECK(nvfp4_value(six, denormal, 1) == 6 * 0x1p-9f);
  CHECK(nvfp4_value(half, denormal, 1) == 0x1p-10f);
  CHECK(nvfp4_value(six, largest, 0.0123f) == 2688.0f * 0.0123f);
  CHECK(std::signbit(nvfp4_value(minus_zero, largest, 0.0123f)));
  CHECK(std::bit_cast<std::uint32_t>(nvfp4_value(half, nan, 1)) == 0x7fffffff);
  // In the other order of the products the last bit differs for some code and scale (not with a
  // global scale of as few bits as 0.0123f has).
  const float global = 1 / 3.0f;
  int differ = 0;
  for (std::uint8_t code = 0; code < 8; ++code)
    for (std::uint8_t scale = 0; scale < 0x7f; ++scale) {
      const float other = ir::num::to_f32(ir::e4m3_t{scale}) * global;
      differ += nvfp4_value({code}, {scale}, global) != ir::num::to_f32(ir::e2m1_t{code}) * other;
    }
  CHECK(differ > 0);
}

TEST_CASE("quantised weights are within half a step of theirs", "[formats]") {
  for (std::optional<float> global : {std::optional<float>{}, std::optional{1.0f},
                                      std::optional{0.0123f}, std::optional{0x1p-8f}}) {
    const ir::Tensor w = weights(9, 96, global.value_or(1) * 30);
    const auto q = quantise_nvfp4(w, global);
    for (std::int64_t row = 0; row < 9; ++row)
      for (std::int64_t k = 0; k < 96; ++k) {
        const std::uint8_t bits = q.scales.at(row, k / 16).bits;
        REQUIRE(bits < 0x7f);  // neither a sign nor NaN
        const float step = ir::num::to_f32(ir::e4m3_t{bits}) * q.global_scale;
        // The widest gap between codes is 2; rounding the scale moves the largest by 1/16 or, of
        // a denormal scale, half of its last place.
        const float lost = step * 1.001f + 6 * 0x1p-10f * q.global_scale +
                           std::fabs(w.as<float>()[row * 96 + k]) / 16;
        REQUIRE(std::fabs(q.value(row, k) - w.as<float>()[row * 96 + k]) <= lost);
      }
  }
}

TEST_CASE("weights that NVFP4 holds come back bit for bit", "[formats]") {
  std::mt19937 engine(3);
  ir::Tensor w(Elem::F32, {6, 64});
  for (std::int64_t first = 0; first < w.count(); first += 16) {
    const float scale = ir::num::to_f32(ir::e4m3_t{static_cast<std::uint8_t>(1 + engine() % 0x7e)});
    for (int i = 0; i < 16; ++i) {  // a 6 in each group, so that the scale is found again
      const std::uint8_t code = i == 5 ? 7 : engine() % 16;
      w.as<float>()[first + i] = ir::num::to_f32(ir::e2m1_t{code}) * scale;
    }
  }
  const auto q = quantise_nvfp4(w, 1.0f);
  for (std::int64_t row = 0; row < 6; ++row)
    for (std::int64_t k = 0; k < 64; ++k)
      REQUIRE(std::bit_cast<std::uint32_t>(q.value(row, k)) ==
              std::bit_cast<std::uint32_t>(w.as<float>()[row * 64 + k]));
}

TEST_CASE("groups of zeros, tiny and not finite weights are quantised to what they are",
          "[formats]") {
  ir::Tensor w(Elem::F32, {1, 64});
  float* at = w.as<float>();
  at[16] = 1e-30f;  // its scale rounds to 0
  at[33] = NAN;
  at[48] = -INFINITY;
  const auto q = quantise_nvfp4(w, 1.0f);
  for (int k = 0; k < 32; ++k) CHECK(q.value(0, k) == 0);
  for (int k = 32; k < 64; ++k) CHECK(std::isnan(q.value(0, k)));
  CHECK(quantise_nvfp4(ir::Tensor(Elem::BF16, {2, 16})).global_scale == 1);
}

TEST_CASE("quantise_nvfp4 refuses what it cannot hold", "[formats]") {
  CHECK_THROWS_WITH(quantise_nvfp4(ir::Tensor(Elem::F32, {2, 24})),
                    Contains("K = 24") && Contains("multiple of 16"));
  CHECK_THROWS_WITH(quantise_nvfp4(ir::Tensor(Elem::S8, {2, 16})),
                    Contains("s8 [2, 16]") && Contains("pass f32, f16 or bf16"));
  CHECK_THROWS_WITH(quantise_nvfp4(ir::Tensor(Elem::F32, {2, 16}), 0.0f),
                    Contains("global scale 0") && Contains("positive"));
  CHECK_THROWS_WITH(quantise_nvfp4(ir::Tensor(Elem::F32, {2, 16}), INFINITY), Contains("positive"));
}
