// SPDX-License-Identifier: Apache-2.0
// The proof and the simulator on random kernels: what the compiler leaves is never refuted, and a
// kernel that races on the simulator is never proved.
#include <catch2/catch.hpp>

#include "ir/pipeline.h"
#include "ir/print.h"
#include "tests/support/run_random.h"
#include "verify/proof/prove.h"

using namespace barline;
using namespace barline::test;

namespace {

/// For the run's own sizes (tensors are sized for each other) and scalars.
verify::ProofReport prove(const ir::Kernel& k, const std::vector<std::int64_t>& axis_sizes,
                          const RandomArguments& arguments) {
  verify::ProofOptions options;
  std::size_t next = 0;
  for (const ir::Axis& a : k.axes)
    if (!a.bound) options.sizes[a.name] = axis_sizes.at(next++);
  for (std::size_t i = 0; i < k.params.size(); ++i)
    if (k.params[i].type == ir::scalar(ir::Elem::S32))
      options.sizes[k.params[i].name] = static_cast<std::int32_t>(arguments.scalars[i].bits);
  options.minimal = options.costs = false;
  options.max_cases = 6;
  options.max_steps = 20'000'000;
  return verify::prove(k, options);
}

/// The kernel without its n-th barrier; false if it has fewer.
bool without_barrier(ir::Region& r, int& n) {
  for (std::size_t i = 0; i < r.ops.size(); ++i) {
    if (r.ops[i].is(ir::Op::Barrier) && n-- == 0) {
      r.ops.erase(r.ops.begin() + static_cast<std::ptrdiff_t>(i));
      return true;
    }
    for (ir::Region& sub : r.ops[i].regions)
      if (without_barrier(sub, n)) return true;
  }
  return false;
}

}  // namespace

TEST_CASE("lowered random kernels are not refuted", "[fuzz]") {
  int proved = 0;
  for (std::uint64_t seed = 0; seed < static_cast<std::uint64_t>(fuzz_count(120)); ++seed) {
    RandomKernel r = random_kernel(seed);
    ir::run_pipeline(r.kernel);
    verify::ProofReport p = prove(r.kernel, r.axis_sizes, random_arguments(r, seed));
    proved += p.verdict == verify::Verdict::Proved;
    if (p.verdict == verify::Verdict::Refuted)
      FAIL("seed " << seed << "\n" << verify::to_string(p) << "\n" << ir::print(r.kernel));
  }
  CHECK(proved > fuzz_count(120) / 4);
}

TEST_CASE("a race that the simulator sees is never proved away", "[fuzz]") {
  int races = 0;
  for (std::uint64_t seed = 0; seed < static_cast<std::uint64_t>(fuzz_count(120)); ++seed) {
    RandomKernel r = random_thread_kernel(seed);
    ir::run_pipeline(r.kernel);
    for (int barrier = 0;; ++barrier) {
      ir::Kernel mutant = r.kernel;
      int n = barrier;
      if (!without_barrier(mutant.body, n)) break;
      RandomRun run = simulate_random(mutant, r.axis_sizes, random_arguments(r, seed), true);
      if (run.finding.find("race") == std::string::npos) continue;
      ++races;
      if (prove(mutant, r.axis_sizes, random_arguments(r, seed)).verdict == verify::Verdict::Proved)
        FAIL("seed " << seed << " without barrier " << barrier << "\n"
                     << run.finding << "\n"
                     << ir::print(mutant));
    }
  }
  CHECK(races > fuzz_count(120) / 4);
}
