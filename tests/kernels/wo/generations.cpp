// SPDX-License-Identifier: Apache-2.0
// Launch after launch on one workspace that nobody resets: right every time, also after a launch
// that was cut short anywhere behind its blocks' start.
#include <catch2/catch.hpp>

#include "wo_problem.h"

using namespace barline;
using namespace barline::test;

namespace {

/// Steps of the simulator between cuts: close together where blocks start, wait and meet.
std::int64_t stride(std::int64_t step, std::int64_t all) {
  if (step < 3000) return 41;
  return step > all - 1200 ? 13 : std::min(all / 60, std::max<std::int64_t>(1, all - 1200 - step));
}

bool every_block_started(const Tensors& t, std::uint64_t generation) {
  const ir::Tensor& launches = t.at("launches");
  for (std::int64_t i = 0; i < launches.count(); ++i)
    if (launches.as<std::uint64_t>()[i] != generation) return false;
  return true;
}

/// Outputs of the run before, and what it left between the blocks, as nobody should use them.
void spoil(Tensors& t) {
  for (const char* name : {"y", "partial"})
    std::fill(t.at(name).data.begin(), t.at(name).data.end(), std::byte{0xa5});
}

}  // namespace

TEST_CASE("fifty launches on one workspace have the same bits", "[kernels][wo]") {
  for (const char* name : {"wo_nvfp4", "wo_nvfp4_producer"}) {
    Problem p = wo_problem(name, {.n = 20, .split = 2});
    const ir::Kernel k = lowered(p);
    Tensors tensors = p.tensors;
    p.refer();
    for (std::uint64_t launch = 1; launch <= 50; ++launch) {
      spoil(tensors);
      auto args = arguments(p, k, tensors);
      REQUIRE(verify::simulate(k, args, axis_sizes(p, k)).clean());
      REQUIRE(tensors.at("y").data == p.tensors.at("y").data);
      REQUIRE(tensors.at("partial").data == p.tensors.at("partial").data);
      REQUIRE(every_block_started(tensors, launch));
      // (generation, arrivals), as the header says.
      REQUIRE(tensors.at("counters").as<std::uint64_t>()[0] == (launch << 16 | 8));
    }
  }
}

TEST_CASE("a launch whose blocks all started and left early leaves nothing to reset",
          "[kernels][wo]") {
  for (const char* name : {"wo_nvfp4", "wo_nvfp4_producer"}) {
    Problem p = wo_problem(name, {.batch = 1, .n = 4, .slices = 4, .split = 2});
    const ir::Kernel k = lowered(p);
    const Tensors fresh = p.tensors;
    p.refer();
    int cut_short = 0;
    std::uint64_t arrived = 0;
    Tensors once = fresh;
    auto whole = arguments(p, k, once);
    const std::int64_t all = verify::simulate(k, whole, axis_sizes(p, k)).counts.warp_steps;
    for (std::int64_t steps = 1; steps < all; steps += stride(steps, all)) {
      Tensors tensors = fresh;
      auto args = arguments(p, k, tensors);
      const verify::SimOptions cut{.cores = 1, .max_steps = steps};
      REQUIRE(!verify::simulate(k, args, axis_sizes(p, k), cut).clean());
      if (!every_block_started(tensors, 1)) continue;
      ++cut_short;
      arrived = std::max(arrived, tensors.at("counters").as<std::uint64_t>()[0] & 0xffff);
      spoil(tensors);
      args = arguments(p, k, tensors);
      REQUIRE(verify::simulate(k, args, axis_sizes(p, k)).clean());
      REQUIRE(tensors.at("y").data == p.tensors.at("y").data);
    }
    CHECK(cut_short > 100);  // the cuts lie all over the kernel ..
    CHECK(arrived == 8);     // .. up to behind the last arrival
  }
}

TEST_CASE("launches of other splits may share the counters", "[kernels][wo]") {
  Tensors shared;
  for (std::int64_t split : {8, 1, 4, 2, 8}) {
    Problem p = wo_problem("wo_nvfp4_producer", {.n = 20, .split = split});
    for (const char* name : {"launches", "counters"})
      if (shared.contains(name)) p.tensors[name] = shared[name];
    Tensors got = p.simulated(true);
    p.refer();
    CHECK(got.at("y").data == p.tensors.at("y").data);
    for (const char* name : {"launches", "counters"}) shared[name] = got[name];
  }
}
