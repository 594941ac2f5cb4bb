// SPDX-License-Identifier: Apache-2.0
// wo_nvfp4_chains: its image of the weights, and the bits of the reference of split 4.
#include "kernels/wo/chains.h"

#include <catch2/catch.hpp>
#include <set>

#include "codegen/compile.h"
#include "codegen/sass/calibration.h"
#include "ir/diagnostic.h"
#include "ir/pipeline.h"
#include "tests/kernels/problem.h"
#include "tests/kernels/reference/wo_operands.h"
#include "tests/support/ptxas.h"

using namespace barline;
using namespace barline::kernels;
using Catch::Matchers::Contains;

namespace {

/// K of 2048: four slabs.
test::Problem problem(std::int64_t batch, std::int64_t n, const test::Matrix& w,
                      bool beside_next = false) {
  ir::Schedule bound{.name = "warps20_K2048", .threads = 640};
  bound.budget.beside_next = beside_next;
  test::Problem p("wo_nvfp4_chains", ir::Elem::BF16, bound, {{"B", batch}, {"N", n}, {"K", 2048}});
  p.scalars["global_scale"] = w.global_scale;
  p.tensors["w_chains"] = pack_chains(w);
  return p;
}

void agree(test::Problem p) {
  test::Tensors whole = p.simulated(false), lowered = p.simulated(true);
  p.refer();
  CHECK(test::first_difference(whole, p.tensors) == "");
  CHECK(test::first_difference(lowered, p.tensors) == "");
}

}  // namespace

TEST_CASE("an image of chains holds every code and scale", "[kernels][wo]") {
  const test::Matrix w = test::random_matrix(80, 1024, 1);
  const ir::Tensor image = pack_chains(w);
  CHECK(image.shape == std::vector<std::int64_t>{2, 2 * 2880});
  const test::Matrix back = unpack_chains(image, 80, 1024);
  CHECK(back.codes.data == w.codes.data);
  CHECK(back.scales.tensor().data == w.scales.tensor().data);
  CHECK(image.byte_size() == 80 * 1024 / 2 + 80 * 1024 / 16);  // nothing else
  const formats::Nvfp4Matrix<formats::ScaleOrder::Swizzled> swizzled{w.codes,
                                                                     formats::swizzle(w.scales), 1};
  CHECK(pack_chains(swizzled).data == image.data);
}

TEST_CASE("a code has four bits of its own in a word of an image", "[kernels][wo]") {
  std::uint32_t taken = 0;
  for (int k = 0; k < 8; ++k) {
    test::Matrix w = test::matrix(40, 512, 1);
    formats::set_e2m1(w.codes.data.data(), k, {15});
    const std::uint32_t word = pack_chains(w).as<std::uint32_t>()[0];
    CHECK(std::popcount(word) == 4);
    CHECK((word & taken) == 0);
    taken |= word;
  }
  CHECK(taken == ~0u);
}

TEST_CASE("wo_nvfp4_chains has the bits of the reference of split 4", "[kernels][wo]") {
  for (float global : {1.0f, 0.0123f, 1 / 3.0f})
    agree(problem(2, 40, test::random_matrix(40, 2048, global)));
  agree(problem(1, 80, test::random_matrix(80, 2048, 0.0123f, 9)));
  agree(problem(1, 80, test::random_matrix(80, 2048, 0.0123f, 9), true));
}

TEST_CASE("wo_nvfp4_chains takes denormal, negative and NaN scales and any global scale",
          "[kernels][wo]") {
  test::Matrix w = test::random_matrix(40, 2048, 0.0123f);
  for (std::int64_t i = 0; i < 40 * 128; ++i)
    w.scales.set(i / 128, i % 128, {static_cast<std::uint8_t>(1 + i % 7)});
  agree(problem(1, 40, w));
  for (std::int64_t i = 0; i < 40 * 128; ++i)
    w.scales.set(i / 128, i % 128,
                 {static_cast<std::uint8_t>(i % 3 ? 0x80 | (i % 0x7f) : i % 0x7f)});
  agree(problem(1, 40, w));
  w.scales.set(3, 5, {0x7f});
  w.scales.set(4, 127, {0xff});
  agree(problem(1, 40, w));
  for (float global : {0x1p-140f, 0x1p-126f, -2.5f, 0x1p100f, 0.0f})
    agree(problem(1, 40, test::random_matrix(40, 2048, global)));
}

TEST_CASE("wo_nvfp4_chains asks for four slabs of weights before it waits for the grid before",
          "[kernels][wo][ptxas]") {
  const codegen::Ptxas ptxas = test::find_ptxas();
  codegen::CalibrationCache cache(ptxas);
  for (const ir::Schedule& s : test::entry("wo_nvfp4_chains").schedules) {
    ir::Kernel k = dsl::instantiate(wo_nvfp4_chains(), {.schedule = s, .dims = {{"K", 6144}}});
    ir::run_pipeline(k);
    const codegen::Compiled c = codegen::compile(k, *ir::find_target("sm_90a"), ptxas,
                                                 {.calibration = &cache.get("sm_90a")});
    INFO(s.name);
    CHECK(c.report.spill_stores == 0);
    if (s.budget.beside_next) CHECK(c.skeleton->loads_before_wait == 4 * 2);
  }
}

TEST_CASE("wo_nvfp4_chains is refused for weights, and a K, that its lanes do not share",
          "[kernels][wo]") {
  CHECK_THROWS_WITH(pack_chains(test::random_matrix(41, 512, 1)),
                    Contains("[41, 512]") && Contains("N is a multiple of 40 and K of 512"));
  CHECK_THROWS_WITH(pack_chains(test::random_matrix(40, 256, 1)), Contains("K of 512"));
  auto built = [](std::map<std::string, std::int64_t> dims) {
    return dsl::instantiate(wo_nvfp4_chains(),
                            {.schedule = {.name = "w", .threads = 640}, .dims = std::move(dims)});
  };
  CHECK_THROWS_WITH(built({}), Contains("for a K of the launch") && Contains("bind K"));
  CHECK_THROWS_WITH(built({{"K", 2560}}),
                    Contains("axis 'K' bound to 2560") && Contains("multiple of 2048"));
  CHECK(built({{"K", 2048}}).axes[2].multiple == 40);
}
