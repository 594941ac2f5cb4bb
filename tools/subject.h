// SPDX-License-Identifier: Apache-2.0
// What `verify` and `mutate` judge: a config's lowered kernel, once for all its targets, and runs
// of it on the register's small shapes.
#pragma once

#include <string>
#include <vector>

#include "tools/problem.h"
#include "verify/sim_case.h"

namespace barline::tools {

/// A config with the targets that were asked for.
struct ConfigJob {
  Job job;  ///< on the first target
  std::vector<std::string> targets;
};
/// Jobs that differ in their target alone, joined; order is kept.
std::vector<ConfigJob> by_config(const std::vector<Job>& jobs);

struct Subject {
  /// One a shape whose name begins with `sim`; shapes that a bound size makes equal count once, and
  /// those after `sim` only where the config takes their sizes. The cases compare with their
  /// expected outputs.
  std::vector<Problem> problems;
  ir::Kernel lowered;
};
/// Throws ir::Error where a pass refuses the kernel, UsageError where the register has no sizes.
Subject make_subject(const Session& session, const Job& job);

/// The simulator's cases; they refer to the subject, which outlives them.
std::vector<verify::SimCase> sim_cases(const Subject& subject, const verify::CompareRule& rule);

/// Is the shape for the simulator (small, run by `verify`, `mutate` and `demo`), not for timing?
inline bool is_sim_shape(std::string_view name) { return name.starts_with("sim"); }

}  // namespace barline::tools
