// SPDX-License-Identifier: Apache-2.0
// Levels: the judges of a kernel in order of cost, each with a verdict and a witness, as
// `barline verify` reports them.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "verify/proof/prove.h"
#include "verify/sim_case.h"

namespace barline::verify {

inline constexpr int top_level = 2;  ///< the last level that runs without ptxas and without a GPU

/// What the levels judge, and on what.
struct LevelInput {
  std::string kernel;    ///< "rms_norm.bf16"
  std::string schedule;  ///< "row256"
  std::string target;    ///< "sm_90a" or empty: no target's features are asked
  const ir::Kernel* lowered = nullptr;
  std::vector<SimCase> cases;  ///< level 2; none: skipped
  ProofOptions proof;
  int random_schedules = 2;   ///< level 2: besides round robin and reverse
  std::string allow_unknown;  ///< reason for which UNKNOWN passes; empty: it does not
};

/// One level's answer: a row of the command's `results`.
struct LevelResult {
  std::string kernel, schedule, target;
  int level = 0;
  Verdict verdict = Verdict::Unknown;
  std::string reason;   ///< of SKIPPED, or of an UNKNOWN that is allowed
  std::string witness;  ///< of REFUTED and UNKNOWN: threads, ops, address, source lines
  std::vector<std::string> enumerated;  ///< level 1: cases; level 2: runs
  std::vector<std::string> preconditions;
  double seconds = 0;
  bool ok = false;  ///< exit code 0 as far as this row goes
};

/// Level 0: structure, types, convergence. 1: the static proof. 2: the simulator.
LevelResult run_level(int level, const LevelInput& input);
/// Levels 0 to `last`; the ones after a refuted level 0 are skipped.
std::vector<LevelResult> run_levels(int last, const LevelInput& input);

std::string_view level_name(int level);
/// One line, and the witness below it.
std::string to_string(const LevelResult& r);
/// {"schema": "barline.verify/1", "ok": .., "results": [..]}
std::string to_json(std::span<const LevelResult> results);

}  // namespace barline::verify
