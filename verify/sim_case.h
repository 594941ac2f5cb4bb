// SPDX-License-Identifier: Apache-2.0
// One run of a kernel on the simulator that can be judged: arguments, and whether outputs are
// right.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "verify/interp/simulate.h"
#include "verify/verdict.h"

namespace barline::verify {

/// Outputs of a run: every tensor argument after it, in order of the tensor parameters.
using Outputs = std::vector<ir::Tensor>;

struct SimCase {
  std::string name;                      ///< "M=70 N=40", for people
  std::vector<ir::Tensor> tensors;       ///< one a tensor parameter, in order; copied for every run
  std::vector<ir::Scalar> scalars;       ///< one a scalar parameter, in order
  std::vector<std::int64_t> axis_sizes;  ///< of axes that are not bound, in order
  /// Empty if the outputs are right, else what is wrong. Not set: outputs are compared bit for bit
  /// with those of the first schedule.
  std::function<std::string(const Outputs&)> compare;
};

/// The order in which the simulator takes warps and blocks.
struct SimSchedule {
  WarpOrder order = WarpOrder::RoundRobin;
  std::uint64_t seed = 1;
};
/// Round robin, reverse and `random` seeded ones.
std::vector<SimSchedule> sim_schedules(int random = 2);
std::string to_string(const SimSchedule& s);

struct SimOutcome {
  Verdict verdict = Verdict::Checked;  ///< Checked or Refuted
  bool race = false;                   ///< refuted by a race that the simulator saw
  bool mismatch = false;               ///< refuted by its outputs
  std::string witness;                 ///< finding or mismatch, with case and schedule
  Outputs outputs;                     ///< of the first schedule, if it ran to its end
};

/// Runs the kernel on the case under every schedule, up to the first that refutes it.
/// `expected`: outputs to compare with bit for bit where the case has no compare; may be null.
/// Throws ir::Error if the arguments do not fit the kernel.
SimOutcome run_case(const ir::Kernel& k, const SimCase& c, std::span<const SimSchedule> schedules,
                    const Outputs* expected = nullptr);

/// Empty if both are equal bit for bit, else the first difference.
std::string compare_bits(const ir::Kernel& k, const Outputs& got, const Outputs& want);

}  // namespace barline::verify
