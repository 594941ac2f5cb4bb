// SPDX-License-Identifier: Apache-2.0
// What `verify` and `mutate` judge: a config's lowered kernel, once for all its targets, and a run
// of it on the register's small shape.
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
  Problem problem;  ///< the case compares with its expected outputs
  ir::Kernel lowered;
};
/// Throws ir::Error where a pass refuses the kernel, UsageError where the register has no sizes.
Subject make_subject(const Session& session, const Job& job);

/// The simulator's case; it refers to the subject, which outlives it.
verify::SimCase sim_case(const Subject& subject, const verify::CompareRule& rule);

}  // namespace barline::tools
