// SPDX-License-Identifier: Apache-2.0
// What ptxas makes of register streams: the weights' loads of the first steps stand before the wait
// for the grid before, and nothing else does, though ptxas orders loads as it likes. So do the
// weights' copies of kernels whose warps have roles.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <catch2/catch.hpp>
#include <utility>

#include "codegen/compile.h"
#include "codegen/sass/calibration.h"
#include "ir/pipeline.h"
#include "problem.h"
#include "tests/support/ptxas.h"

using namespace barline;

namespace {

codegen::Compiled compiled(const char* kernel, const ir::Schedule& schedule,
                           const codegen::Ptxas& ptxas, codegen::CalibrationCache& cache) {
  dsl::Config config;
  config.schedule = schedule;
  if (schedule.name.ends_with("_K4096")) config.dims["K"] = 4096;
  ir::Kernel k = dsl::instantiate(test::entry(kernel).make(ir::Elem::F16), config);
  ir::run_pipeline(k);
  return codegen::compile(k, *ir::find_target("sm_90a"), ptxas,
                          {.calibration = &cache.get("sm_90a")});
}

}  // namespace

TEST_CASE("streams ask for weights before the wait, for the rest after it", "[kernels][ptxas]") {
  const codegen::Ptxas ptxas = test::find_ptxas();
  codegen::CalibrationCache cache(ptxas);
  struct Row {
    const char *kernel, *schedule;
    int weights;
  };
  // Steps ahead times a thread's loads a step: 48 rows of 16 or 8 a unit, one or two units.
  for (const Row& r :
       {Row{"qkv_w4a16", "next8x48", 1 * 6}, Row{"qkv_w4a16", "next16x48", 2 * 3},
        Row{"qkv_w4a16", "next8x48_K4096", 1 * 6}, Row{"qkv_w4a16", "next16x48_K4096", 1 * 3},
        Row{"qkv_w8a16", "next8x48", 1 * 6}, Row{"qkv_w8a16", "next16x48", 1 * 6},
        Row{"qkv_w8a16", "next8x48_K4096", 1 * 12}, Row{"qkv_w8a16", "next16x48_K4096", 1 * 6}})
    for (const ir::Schedule& s : test::entry(r.kernel).schedules) {
      if (s.name != r.schedule) continue;
      const codegen::Compiled c = compiled(r.kernel, s, ptxas, cache);
      INFO(r.kernel << " " << r.schedule);
      CHECK(c.skeleton->loads_before_wait == r.weights);
      CHECK(c.skeleton->global_loads > 2 * r.weights);
      CHECK(c.report.spill_stores == 0);
    }
}

TEST_CASE("warps that fill ask for weights before the wait, for x after it", "[kernels][ptxas]") {
  const codegen::Ptxas ptxas = test::find_ptxas();
  codegen::CalibrationCache cache(ptxas);
  codegen::Calibration tensors = cache.get("sm_90a");
  tensors.set(0x1b4, codegen::SassOp::BulkCopy);  // UTMALDG, which no probe makes
  struct Row {
    const char* kernel;
    std::vector<int> copies;
  };
  // Computing warps wait with no copy before. The thread that fills asks for a step's weights (the
  // words and int4's scales), waits, asks for two boxes of x, and for all of the steps after it;
  // the others beside it wait alone.
  for (const Row& r :
       {Row{"qkv_w4a16", {0, 2, 2 + 4, 0, 0}}, Row{"qkv_w8a16", {0, 1, 2 + 3, 0, 0}}})
    for (const ir::Schedule& s : test::entry(r.kernel).schedules) {
      if (s.name != "next192x64") continue;
      const codegen::Compiled c = compiled(r.kernel, s, ptxas, cache);
      const codegen::SassSkeleton skeleton = codegen::skeleton(c.cubin, c.name, tensors);
      std::vector<int> copies;  // between one wait and the next, in layout order
      int since = 0;
      for (const codegen::SassOp op : skeleton.sequence) {
        if (op == codegen::SassOp::BulkCopy) ++since;
        if (op == codegen::SassOp::GridWait) copies.push_back(std::exchange(since, 0));
      }
      copies.push_back(since);
      INFO(r.kernel << " " << fmt::format("{}", fmt::join(copies, " ")));
      CHECK(skeleton.count(codegen::SassOp::GridLaunch) == 1);
      CHECK(copies == r.copies);
    }
}
