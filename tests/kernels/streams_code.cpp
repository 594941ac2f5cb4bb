// SPDX-License-Identifier: Apache-2.0
// What ptxas makes of register streams: the weights' loads of the first steps stand before the wait
// for the grid before, and nothing else does, though ptxas orders loads as it likes.
#include <catch2/catch.hpp>

#include "codegen/compile.h"
#include "codegen/sass/calibration.h"
#include "ir/pipeline.h"
#include "problem.h"
#include "tests/support/ptxas.h"

using namespace barline;

TEST_CASE("streams ask for weights before the wait, for the rest after it", "[kernels][ptxas]") {
  const codegen::Ptxas ptxas = test::find_ptxas();
  codegen::CalibrationCache cache(ptxas);
  struct Row {
    const char *kernel, *schedule;
    int weights;
  };
  // Steps ahead times a thread's loads a step: 48 rows of 16 or 8 a unit, one or two units.
  for (const Row& r : {Row{"qkv_w4a16", "next8x48", 1 * 6}, Row{"qkv_w4a16", "next16x48", 2 * 3},
                       Row{"qkv_w8a16", "next8x48", 1 * 6}, Row{"qkv_w8a16", "next16x48", 1 * 6}})
    for (const ir::Schedule& s : test::entry(r.kernel).schedules) {
      if (s.name != r.schedule) continue;
      dsl::Config config;
      config.schedule = s;
      ir::Kernel k = dsl::instantiate(test::entry(r.kernel).make(ir::Elem::F16), config);
      ir::run_pipeline(k);
      const codegen::Compiled c = codegen::compile(k, *ir::find_target("sm_90a"), ptxas,
                                                   {.calibration = &cache.get("sm_90a")});
      INFO(r.kernel << " " << r.schedule);
      CHECK(c.skeleton->loads_before_wait == r.weights);
      CHECK(c.skeleton->global_loads > 2 * r.weights);
      CHECK(c.report.spill_stores == 0);
    }
}
