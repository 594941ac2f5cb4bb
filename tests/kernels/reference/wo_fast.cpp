// SPDX-License-Identifier: Apache-2.0
// The fast order of the output projection: every k counted once, where the tensor core cuts bits
// off and where it does not, the order of the parts.
#include "kernels/reference/wo_fast.h"

#include <catch2/catch.hpp>
#include <cmath>

#include "wo_operands.h"

using namespace barline;
using namespace barline::kernels::reference;
using namespace barline::test;
using Catch::Matchers::Contains;

namespace {

constexpr std::int64_t K = wo_fast_multiple;
constexpr std::uint16_t x_one = 0x3f80;

void set_x(ir::Tensor& x, std::int64_t k, float value) {
  x.as<std::uint16_t>()[k] = ir::num::to_bf16(value).bits;
}
void set_w(Matrix& w, std::int64_t k, std::uint8_t code) {
  w.scales.set(0, k / 16, one);
  formats::set_e2m1(w.codes.data.data(), k, {code});
}
float fast(const ir::Tensor& x, const Matrix& w) { return wo_fast(x, w).as<float>()[0]; }

}  // namespace

TEST_CASE("each k counts once in the fast order", "[kernels]") {
  const Matrix w = random_matrix(1, 2 * K, 0.5f);
  for (std::int64_t k = 0; k < 2 * K; k += 37) {
    ir::Tensor x(ir::Elem::BF16, {1, 2 * K});
    x.as<std::uint16_t>()[k] = x_one;
    CHECK(fast(x, w) == w.value(0, k));
  }
  ir::Tensor ones(ir::Elem::BF16, {1, K});
  Matrix all = matrix(1, K, 1);
  for (std::int64_t k = 0; k < K; ++k) {
    ones.as<std::uint16_t>()[k] = x_one;
    set_w(all, k, 2);
  }
  CHECK(fast(ones, all) == K);
}

TEST_CASE("sums of 16 are truncated, sums of accumulators and of parts rounded", "[kernels]") {
  auto sum = [](float large, std::int64_t k, float small) {
    ir::Tensor x(ir::Elem::BF16, {1, K});
    Matrix w = matrix(1, K, 1);
    set_x(x, 0, large), set_w(w, 0, 2);
    set_x(x, k, small), set_w(w, k, 2);
    return fast(x, w) - large;
  };
  CHECK(sum(0x1p20f, 1, 0x1p-3f) == 0x1p-3f);  // the f32 sum holds it
  CHECK(sum(0x1p24f, 1, 1.0f) == 0);           // truncated to f32, not rounded
  CHECK(sum(0x1p24f, 1, 3.0f) == 2);           // 3 is cut to 2: rounding would give 4
  CHECK(sum(0x1p24f, 2, 3.0f) == 4);           // accumulator B: A + B rounds
  CHECK(sum(0x1p24f, 4, 3.0f) == 2);           // elements 4, 5 are A's
  CHECK(sum(0x1p24f, 32, 3.0f) == 2);          // the next lane's word 0 is in the same sum
  CHECK(sum(0x1p24f, 128, 3.0f) == 4);         // the next warp's part: parts are rounded
}

TEST_CASE("parts of warps are added in fours, the fours in pairs", "[kernels]") {
  auto of_warps = [](std::initializer_list<std::pair<int, float>> parts) {
    ir::Tensor x(ir::Elem::BF16, {1, K});
    Matrix w = matrix(1, K, 1);
    for (auto [warp, value] : parts) set_x(x, warp * 128, value), set_w(w, warp * 128, 2);
    return fast(x, w);
  };
  const float large = 0x1p24f;
  CHECK(of_warps({{0, large}, {1, 1}, {2, 1}}) == large);       // (L + 1) + 1
  CHECK(of_warps({{0, 1}, {1, 1}, {2, large}}) == large + 2);   // (1 + 1) + L
  CHECK(of_warps({{0, large}, {4, 1}, {5, 1}}) == large + 2);   // L + (1 + 1)
  CHECK(of_warps({{0, large}, {4, 1}, {8, 1}}) == large);       // (L + 1) + (1 + 0)
  CHECK(of_warps({{0, large}, {8, 1}, {12, 1}}) == large + 2);  // L + (1 + 1)
}

TEST_CASE("the fast order is near f64, whatever the batch and the order of the scales",
          "[kernels]") {
  const ir::Tensor x = random_x(3, K);
  for (float global : {1.0f, 0.0123f}) {
    const Matrix w = random_matrix(5, K, global);
    const ir::Tensor y = wo_fast(x, w), exact = wo_matmul(x, w);
    for (std::int64_t i = 0; i < y.count(); ++i) {
      double most = 0;
      for (std::int64_t k = 0; k < K; ++k)
        most += std::fabs(ir::num::to_f32(ir::bf16_t{x.as<std::uint16_t>()[i / 5 * K + k]}) *
                          w.value(i % 5, k));
      REQUIRE(std::fabs(y.as<float>()[i] - exact.as<double>()[i]) <= 16 * 0x1p-23 * most);
    }
    ir::Tensor last(ir::Elem::BF16, {1, K});
    std::copy_n(x.as<std::uint16_t>() + 2 * K, K, last.as<std::uint16_t>());
    const ir::Tensor alone = wo_fast(last, w);
    for (int n = 0; n < 5; ++n) CHECK(alone.as<float>()[n] == y.as<float>()[2 * 5 + n]);
    const formats::Nvfp4Matrix<formats::ScaleOrder::Swizzled> swizzled{
        w.codes, formats::swizzle(w.scales), global};
    CHECK(differing(wo_fast(x, swizzled), y) == 0);
  }
}

TEST_CASE("the fast order refuses scales with a sign, NaN, and K that its warps do not share",
          "[kernels]") {
  Matrix w = random_matrix(1, K, 1);
  CHECK_THROWS_WITH(wo_fast(random_x(1, 128), random_matrix(1, 128, 1)),
                    Contains("K = 128") && Contains("multiple of 2048"));
  for (std::uint8_t bits : {0x7f, 0x81, 0xff}) {
    w.scales.set(0, 3, {bits});
    CHECK_THROWS_WITH(wo_fast(random_x(1, K), w),
                      Contains("row 0, group 3") && Contains("reference order"));
  }
}
