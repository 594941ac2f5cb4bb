// SPDX-License-Identifier: Apache-2.0
// Every pass keeps a kernel's bits, and what place_syncs leaves is free of races: the simulator
// before the passes and after each of them, on random kernels.
#include <catch2/catch.hpp>

#include "tests/support/run_random.h"

using namespace barline;
using namespace barline::test;

namespace {

void all_stages_agree(RandomKernel (*make)(std::uint64_t), int count) {
  for (std::uint64_t seed = 0; seed < static_cast<std::uint64_t>(count); ++seed) {
    RandomKernel k = make(seed);
    auto judge = [&](const RandomKernel& r) { return pipeline_fault(r, seed); };
    std::string fault = judge(k);
    if (!fault.empty()) FAIL(report(k, seed, fault, judge));
  }
  SUCCEED();
}

}  // namespace

TEST_CASE("passes keep the bits of thread-level kernels", "[fuzz]") {
  all_stages_agree(random_thread_kernel, fuzz_count(400));
}

TEST_CASE("passes keep the bits of tile kernels", "[fuzz]") {
  all_stages_agree(random_tile_kernel, fuzz_count(100));
}

TEST_CASE("passes keep the bits of products of matrices", "[fuzz]") {
  all_stages_agree(random_matrix_kernel, fuzz_count(60));
}
