// SPDX-License-Identifier: Apache-2.0
// Everything that `barline explain` shows of one config, as data.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "codegen/occupancy.h"
#include "tools/compile_job.h"
#include "verify/cadence/cadence.h"
#include "verify/cadence/certify.h"
#include "verify/proof/prove.h"

namespace barline::tools {

struct Explanation {
  struct Stage {
    std::string pass;     ///< "input" first
    std::string text;     ///< the IR after it
    std::string located;  ///< the same, each op with its place in the author's source
  };
  struct OnTarget {
    JobResult result;
    std::optional<codegen::Occupancy> occupancy;
  };
  std::string config, target;
  std::string schedule;  ///< its fields, as "threads=256 vec=8"
  std::string file;      ///< where the kernel is written
  int threads = 0;       ///< of a block
  std::vector<Stage> stages;
  verify::ProofReport proof;
  verify::Cadence cadence;                 ///< of the loops with barriers
  std::vector<verify::BarrierNeed> needs;  ///< one a barrier
  std::string llvm, ptx;
  std::vector<OnTarget> targets;  ///< of every target of the config; empty without ptxas
};

/// Everything but `targets`.
Explanation explain(const Session& session, const Job& job);
/// Fills `targets`. Throws MissingAssembler.
void add_resources(Explanation& e, Session& session, const Job& job);

std::string to_text(const Explanation& e);
nlohmann::ordered_json to_json(const Explanation& e);

}  // namespace barline::tools
