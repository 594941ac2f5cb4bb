// SPDX-License-Identifier: Apache-2.0
// Regions of wo_nvfp4 on the simulator under skewed schedules: the trace names the block that
// gathered, which the simulator's own record of writers knows, and the regions of a block add up to
// its span.
#include <catch2/catch.hpp>
#include <set>

#include "ir/pipeline.h"
#include "kernels/wo/phases.h"
#include "runtime/regions/critical_path.h"
#include "runtime/regions/reduce.h"
#include "wo_problem.h"

using namespace barline;
using namespace barline::test;
using verify::WarpOrder;

namespace {

struct Traced {
  regions::Samples samples;
  std::size_t gathered;  ///< the block that wrote y
};

Traced trace(const std::string& name, const verify::SimOptions& order) {
  Problem p = wo_problem(name, {.batch = 1, .n = 1040, .split = 8});
  p.config.timing = true;
  ir::Kernel k = dsl::instantiate(p.source, p.config);
  ir::run_pipeline(k);
  const std::int64_t words = *k.axes[k.params.back().axes.back()].bound;
  p.tensors["region_times"] = ir::Tensor(ir::Elem::U64, {1, 4, 8, words});
  Tensors tensors = p.tensors;
  verify::SimOptions options = order;
  options.record_writers = true;
  const verify::SimReport report =
      verify::simulate(k, arguments(p, k, tensors), axis_sizes(p, k), options);
  REQUIRE(report.clean());
  p.refer();
  CHECK(tensors.at("y").data == p.tensors.at("y").data);
  const ir::Tensor& times = tensors.at("region_times");
  const auto* first = times.as<std::uint64_t>();
  std::size_t y = 0;
  while (k.params[y].name != "y") ++y;
  const std::vector<std::vector<std::uint64_t>> buffers{{first, first + times.count()}};
  return {regions::read_samples(k.region_table, 32, buffers),
          static_cast<std::size_t>(report.writers[y][0] / k.launch.block_threads())};
}

}  // namespace

TEST_CASE("a trace names the last arriver under skewed schedules", "[kernels][wo][regions]") {
  std::set<std::size_t> arrivers;
  for (const char* name : {"wo_nvfp4", "wo_nvfp4_producer"})
    for (WarpOrder order : {WarpOrder::RoundRobin, WarpOrder::Reverse, WarpOrder::Random})
      for (std::uint64_t seed : {1, 2, 3}) {
        if (order != WarpOrder::Random && seed > 1) continue;
        const Traced t = trace(name, {.order = order, .seed = seed});
        INFO(name << " order " << int(order) << " seed " << seed);
        const auto path = regions::critical_path(t.samples, t.samples.launches[0]);
        CHECK(path.elected);
        CHECK(path.last_arriver == t.gathered);
        arrivers.insert(path.last_arriver);
        const regions::Reduced r = regions::reduce(t.samples);
        CHECK(r.warnings.empty());
        CHECK(r.coverage.blocks == 32);
        CHECK(r.coverage.median == Approx(1).margin(0.02));
      }
  CHECK(arrivers.size() > 2);
}

TEST_CASE("the phases of decode kernels are R0 to R12, each once", "[kernels][wo][regions]") {
  std::set<int> numbers;
  std::set<std::string_view> names;
  for (const kernels::PhaseRow& p : kernels::phases) {
    CHECK(numbers.insert(p.number).second);
    CHECK(names.insert(p.name).second);
  }
  CHECK(numbers.size() == 13);
  CHECK(*numbers.rbegin() == 12);
}
