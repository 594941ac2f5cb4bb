// SPDX-License-Identifier: Apache-2.0
// Running random kernels: through the pipeline, on the simulator, and what a failure prints.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "tests/support/random_kernel.h"
#include "verify/interp/simulate.h"

namespace barline::test {

/// Kernels of a property test: `base` times the scale that BARLINE_FUZZ_SCALE asks for (default 1).
int fuzz_count(int base);

struct RandomRun {
  std::vector<ir::Tensor> outputs;  ///< tensor parameters after the run, in order
  std::string finding;              ///< what the simulator refused, or empty
};

/// The kernel on the simulator. `lowered`: place_syncs has run, so races are looked for.
RandomRun simulate_random(const ir::Kernel& k, const std::vector<std::int64_t>& axis_sizes,
                          const RandomArguments& arguments, bool lowered,
                          verify::WarpOrder order = verify::WarpOrder::RoundRobin);

/// The first difference between two runs, after NaNs are made equal; empty if there is none.
std::string difference(const RandomRun& got, const RandomRun& want);

/// What is wrong with the pipeline on this kernel: a pass that changes bits, a stage that the
/// checker refuses, a race; empty if nothing is. `after`: called with each stage's name before it
/// is judged; may break the kernel, to see that this function would tell.
using Sabotage = std::function<void(std::string_view pass, ir::Kernel&)>;
std::string pipeline_fault(const RandomKernel& k, std::uint64_t seed, const Sabotage& after = {});

/// A message with the reduced kernel as .bir text.
std::string report(const RandomKernel& k, std::uint64_t seed, const std::string& fault,
                   const std::function<std::string(const RandomKernel&)>& judge);

}  // namespace barline::test
