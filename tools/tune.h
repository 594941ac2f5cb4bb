// SPDX-License-Identifier: Apache-2.0
// Tuning without a GPU: what of a space of schedules builds, keeps the gate's rules, fits an SM and
// is proved. Each candidate that falls out says why.
#pragma once

#include "tools/session.h"
#include "tools/tune_space.h"

namespace barline::tools {

/// What a candidate is launched as, and what came of the filters.
struct Tried {
  Candidate candidate{};
  Job job{};             ///< of its seed
  dsl::Config config{};  ///< the seed's with the candidate's schedule
  std::string filter{};  ///< that it fell out at: build, gate, occupancy, proof, result; or empty
  std::string why{};     ///< it fell out
  int registers = 0, smem = 0, threads = 0;
  int blocks_per_sm = 0;
  double occupancy = 0;

  bool stands() const { return filter.empty(); }
};

struct TuneOptions {
  SpaceOptions space{};
  bool proof = true;
  int limit = 400;  ///< candidates at most; the rest of the space is left out
};

/// Candidates of the jobs' schedules (one kernel, one type, one target), in the space's order.
/// Throws MissingPtxas.
std::vector<Tried> try_space(Session& session, const std::vector<Job>& jobs,
                             const TuneOptions& options);

}  // namespace barline::tools
