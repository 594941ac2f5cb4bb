// SPDX-License-Identifier: Apache-2.0
// wo_nvfp4_fast: its image of the weights, and the bits of the fast order's reference.
#include "kernels/wo/fast.h"

#include <algorithm>
#include <catch2/catch.hpp>

#include "codegen/compile.h"
#include "codegen/sass/calibration.h"
#include "ir/diagnostic.h"
#include "ir/pipeline.h"
#include "kernels/reference/wo_fast.h"
#include "tests/kernels/problem.h"
#include "tests/kernels/reference/wo_operands.h"
#include "tests/support/ptxas.h"

using namespace barline;
using namespace barline::kernels;
using Catch::Matchers::Contains;

namespace {

test::Problem problem(std::int64_t batch, std::int64_t n, std::int64_t k, const test::Matrix& w,
                      bool beside_next = false, Fast blocks = fast40) {
  const bool usual = blocks.tiles == fast40.tiles;
  ir::Schedule bound{.name = "warps16_K", .threads = 512};
  bound.budget.beside_next = beside_next;
  test::Problem p(usual ? "wo_nvfp4_fast" : "wo_nvfp4_fast64", ir::Elem::BF16, bound,
                  {{"B", batch}, {"N", n}, {"K", k}});
  p.scalars["global_scale"] = w.global_scale;
  p.tensors[usual ? "w_fast" : "w_fast64"] = pack_fast(w, blocks);
  return p;
}

test::Problem bound_problem(std::int64_t batch, const test::Matrix& w, bool beside_next = false) {
  ir::Schedule bound{.name = "warps16_B_K", .threads = 512};
  bound.budget.beside_next = beside_next;
  test::Problem p("wo_nvfp4_fast", ir::Elem::BF16, bound,
                  {{"B", batch}, {"N", w.n()}, {"K", w.k()}});
  p.scalars["global_scale"] = w.global_scale;
  p.tensors["w_fast"] = pack_fast(w);
  return p;
}

/// The kernel as written and as lowered has the bits of wo_fast on the weights before packing.
void agree(test::Problem p, const test::Matrix& w) {
  const test::Tensors whole = p.simulated(false), lowered = p.simulated(true);
  test::Tensors want = p.tensors;
  want.at("y") = reference::wo_fast(p.tensors.at("x"), w);
  CHECK(test::first_difference(whole, want) == "");
  CHECK(test::first_difference(lowered, want) == "");
}

}  // namespace

TEST_CASE("an image in fast order holds every code and scale", "[kernels][wo]") {
  test::Matrix w = test::random_matrix(80, 4096, 1);
  for (std::int64_t g = 0; g < 0x7f; ++g) w.scales.set(7, g, {static_cast<std::uint8_t>(g)});
  const ir::Tensor image = pack_fast(w);
  CHECK(image.shape == std::vector<std::int64_t>{2, 2 * 11520});
  CHECK(image.byte_size() == 80 * 4096 / 2 + 80 * 4096 / 16);  // nothing else
  const test::Matrix back = unpack_fast(image, 80, 4096);
  CHECK(back.scales.tensor().data == w.scales.tensor().data);
  int lost = 0;
  for (std::int64_t n = 0; n < 80; ++n)
    for (std::int64_t k = 0; k < 4096; ++k) {
      const bool zero = w.scales.at(n, k / 16).bits == 0;
      lost += back.code(n, k).bits != (zero ? w.code(n, k).bits & 8 : w.code(n, k).bits);
    }
  CHECK(lost == 0);
  const formats::Nvfp4Matrix<formats::ScaleOrder::Swizzled> swizzled{w.codes,
                                                                     formats::swizzle(w.scales), 1};
  CHECK(pack_fast(swizzled).data == image.data);
}

TEST_CASE("wo_nvfp4_fast has the bits of the fast order for every number of rows of x",
          "[kernels][wo]") {
  const test::Matrix w = test::random_matrix(40, 2048, 0.0123f);
  for (std::int64_t batch : {1, 2, 3, 4, 8}) agree(problem(batch, 40, 2048, w), w);
  agree(problem(2, 40, 2048, w, true), w);
  agree(problem(18, 40, 2048, w), w);  // a block of 16 and one of 2
}

TEST_CASE("wo_nvfp4_fast for a bound number of rows of x has the same bits", "[kernels][wo]") {
  const test::Matrix w = test::random_matrix(80, 4096, 0.0123f);
  for (std::int64_t batch : {1, 2, 3, 4, 8, 9, 16}) agree(bound_problem(batch, w), w);
  for (std::int64_t batch : {1, 16}) agree(bound_problem(batch, w, true), w);
}

TEST_CASE("wo_nvfp4_fast has the bits of the fast order over several chunks and blocks",
          "[kernels][wo]") {
  const test::Matrix w = test::random_matrix(80, 6144, 1 / 3.0f, 9);
  const test::Matrix more = test::random_matrix(128, 4096, 0.0123f, 7);
  for (bool beside_next : {false, true}) {
    agree(problem(2, 80, 6144, w, beside_next), w);
    agree(problem(3, 128, 4096, more, beside_next, fast64), more);
  }
}

TEST_CASE("wo_nvfp4_fast takes denormal and zero scales, x that is not finite and any global scale",
          "[kernels][wo]") {
  test::Matrix w = test::random_matrix(40, 2048, 0.0123f);
  for (std::int64_t i = 0; i < 40 * 128; ++i)
    w.scales.set(i / 128, i % 128, {static_cast<std::uint8_t>(i % 9)});
  agree(problem(1, 40, 2048, w), w);
  for (float global : {0x1p-140f, -2.5f, 0x1p100f, 0.0f}) {
    const test::Matrix scaled = test::random_matrix(40, 2048, global);
    agree(problem(1, 40, 2048, scaled), scaled);
  }
  const test::Matrix plain = test::random_matrix(40, 2048, 1);
  test::Problem p = problem(3, 40, 2048, plain);
  p.set("x", 5, INFINITY);
  p.set("x", 2048 + 7, NAN);  // of the second row alone
  agree(p, plain);
}

TEST_CASE("wo_nvfp4_fast moves next to no registers, and asks for slabs of weights before its wait",
          "[kernels][wo][ptxas]") {
  const codegen::Ptxas ptxas = test::find_ptxas();
  codegen::CalibrationCache cache(ptxas);
  struct Case {
    const char* name;
    Fast blocks;
    std::int64_t k;
    int most;      ///< instructions for one row of x: issue slots are what it waits for
    double moves;  ///< a product
  };
  for (const Case& of : {Case{"wo_nvfp4_fast", fast40, 6144, 1130, 0},
                         {"wo_nvfp4_fast64", fast64, 8192, 2350, 0.05}})
    for (const ir::Schedule& s : test::entry(of.name).schedules) {
      const bool one = s.name.find("_B1_") != s.name.npos;
      if (!one) continue;
      ir::Kernel k = dsl::instantiate(wo_nvfp4_fast(of.blocks),
                                      {.schedule = s, .dims = {{"B", 1}, {"K", of.k}}});
      ir::run_pipeline(k);
      const codegen::Compiled c = codegen::compile(k, *ir::find_target("sm_90a"), ptxas,
                                                   {.calibration = &cache.get("sm_90a")});
      INFO(of.name << "@" << s.name);
      CHECK(c.report.spill_stores == 0);
      CHECK(c.skeleton->mmas == of.blocks.slabs(of.k).count * 8);
      CHECK(c.skeleton->instructions < of.most);
      CHECK(c.skeleton->movs_per_mma <= of.moves);
      // The slabs ahead, and the scales of the first eight.
      if (s.budget.beside_next)
        CHECK(c.skeleton->loads_before_wait == s.streams.begin()->ahead + 1);
    }
}

TEST_CASE(
    "wo_nvfp4_fast is refused for scales with a sign or NaN, and sizes its warps do not share",
    "[kernels][wo]") {
  test::Matrix w = test::random_matrix(40, 2048, 1);
  for (std::uint8_t bits : {0x7f, 0x80, 0xb8, 0xff}) {
    w.scales.set(3, 5, {bits});
    CHECK_THROWS_WITH(pack_fast(w),
                      Contains("row 3, group 5") && Contains("give weights with others to the "
                                                             "reference order"));
  }
  CHECK_THROWS_WITH(pack_fast(test::random_matrix(41, 2048, 1)),
                    Contains("[41, 2048]") && Contains("N is a multiple of 40 and K of 2048"));
  CHECK_THROWS_WITH(pack_fast(test::random_matrix(40, 1024, 1)), Contains("K of 2048"));
  CHECK_THROWS_WITH(pack_fast(test::random_matrix(40, 2048, 1), fast64),
                    Contains("N is a multiple of 64"));
  auto built = [](std::map<std::string, std::int64_t> dims) {
    return dsl::instantiate(wo_nvfp4_fast(),
                            {.schedule = {.name = "w", .threads = 512}, .dims = std::move(dims)});
  };
  CHECK_THROWS_WITH(built({}), Contains("for a K of the launch") && Contains("bind K"));
  CHECK_THROWS_WITH(built({{"K", 2048}, {"B", 17}}),
                    Contains("17 rows of x in blocks of 40") && Contains("bind B to 1 .. 16"));
  CHECK_THROWS_WITH(built({{"K", 3072}}),
                    Contains("axis 'K' bound to 3072") && Contains("multiple of 2048"));
}
