// SPDX-License-Identifier: Apache-2.0
// wo_nvfp4_chains: its image of the weights, and the bits of the reference of split 4.
#include "kernels/wo/chains.h"

#include <bit>
#include <catch2/catch.hpp>

#include "codegen/compile.h"
#include "codegen/sass/calibration.h"
#include "ir/diagnostic.h"
#include "ir/pipeline.h"
#include "kernels/reference/wo.h"
#include "tests/kernels/problem.h"
#include "tests/kernels/reference/wo_operands.h"
#include "tests/support/ptxas.h"

using namespace barline;
using namespace barline::kernels;
using Catch::Matchers::Contains;

namespace {

/// K of 2048: four slabs.
test::Problem problem(std::int64_t batch, std::int64_t n, const test::Matrix& w,
                      bool beside_next = false, const char* kernel = "wo_nvfp4_chains") {
  ir::Schedule bound{.name = "warps20_K2048", .threads = 640};
  bound.budget.beside_next = beside_next;
  test::Problem p(kernel, ir::Elem::BF16, bound, {{"B", batch}, {"N", n}, {"K", 2048}});
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
  int lost = 0;
  for (std::int64_t n = 0; n < 80; ++n)
    for (std::int64_t k = 0; k < 1024; ++k)
      lost += std::bit_cast<std::uint32_t>(back.value(n, k)) !=
              std::bit_cast<std::uint32_t>(w.value(n, k));
  CHECK(lost == 0);
  CHECK(image.byte_size() == 80 * 1024 / 2 + 80 * 1024 / 16);  // nothing else
  const formats::Nvfp4Matrix<formats::ScaleOrder::Swizzled> swizzled{w.codes,
                                                                     formats::swizzle(w.scales), 1};
  CHECK(pack_chains(swizzled).data == image.data);
}

TEST_CASE("wo_nvfp4_chains has the bits of the reference of split 4", "[kernels][wo]") {
  for (float global : {1.0f, 0.0123f, 1 / 3.0f})
    agree(problem(2, 40, test::random_matrix(40, 2048, global)));
  agree(problem(1, 80, test::random_matrix(80, 2048, 0.0123f, 9)));
  agree(problem(1, 80, test::random_matrix(80, 2048, 0.0123f, 9), true));
}

TEST_CASE("wo_nvfp4_fused has the bits of the fused order", "[kernels][wo]") {
  for (float global : {1.0f, 0.0123f, -2.5f, 0x1p100f}) {
    test::Matrix w = test::random_matrix(80, 2048, global, 3);
    for (std::int64_t g = 0; g < 128; ++g)
      w.scales.set(7, g, {static_cast<std::uint8_t>(g % 3 ? 0x80 | g : g)});
    test::Problem p = problem(2, 80, w, global < 1, "wo_nvfp4_fused");
    agree(p);
    // .. of the weights as they were before they became an image.
    test::Tensors got = p.simulated(true);
    p.tensors["y"] = reference::wo_fused_order(p.tensors.at("x"), w, {.kv_heads = 4, .split = 4});
    CHECK(test::first_difference(got, p.tensors) == "");
  }
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

TEST_CASE("chains ask for weights before they wait for the grid before, and are alone on an SM",
          "[kernels][wo][ptxas]") {
  const codegen::Ptxas ptxas = test::find_ptxas();
  codegen::CalibrationCache cache(ptxas);
  const ir::Target& target = *ir::find_target("sm_90a");
  for (const char* name : {"wo_nvfp4_chains", "wo_nvfp4_fused"})
    for (const ir::Schedule& s : test::entry(name).schedules) {
      ir::Kernel k = dsl::instantiate(test::entry(name).make(ir::Elem::BF16),
                                      {.schedule = s, .dims = {{"K", 6144}}});
      ir::run_pipeline(k);
      const codegen::Compiled c =
          codegen::compile(k, target, ptxas, {.calibration = &cache.get("sm_90a")});
      INFO(name << "@" << s.name);
      CHECK(c.report.spill_stores == 0);
      if (!s.budget.beside_next) continue;
      CHECK(c.skeleton->loads_before_wait == s.streams.begin()->ahead + 1);
      CHECK(c.report.registers * 640 * 2 > 65536);
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
