// SPDX-License-Identifier: Apache-2.0
// Launches of a timed kernel, compared, and what its regions took: the samples of each launch and
// what the timing itself costs.
#pragma once

#include "runtime/regions/critical_path.h"
#include "runtime/regions/reduce.h"
#include "tools/session.h"

namespace barline::tools {

struct TraceOptions {
  std::string kernel, device = "sim", shape{};
  std::vector<std::string> set{};
  std::uint64_t seed = 1;
  int launches = 0;  ///< 0: three on the simulator, 20 on a GPU
  std::string out = "trace";
};

/// A launch with timing and one without, in `unit`.
struct TimingCost {
  double timed = 0, untimed = 0;
  double added() const { return timed - untimed; }
  double share() const { return untimed > 0 ? added() / untimed : 0; }
};

struct Trace {
  std::string kernel, device, verdict{};  ///< verdict: what the comparison says
  std::map<std::string, std::int64_t> sizes{};
  bool simulated = false;  ///< clocks are the simulator's steps
  regions::Samples samples{};
  regions::Reduced reduced{};
  std::size_t shown = 0;         ///< the launch of median span, which the pictures show
  regions::CriticalPath path{};  ///< of it
  TimingCost cost{};
  std::string cost_unit = "us";
};

/// Throws Failure where an output is not the reference's, or differs between launches, and
/// UsageError for a kernel without regions. Nothing is timed before the comparison holds.
Trace make_trace(Session& session, const TraceOptions& options);

}  // namespace barline::tools
