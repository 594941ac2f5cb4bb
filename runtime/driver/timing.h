// SPDX-License-Identifier: Apache-2.0
// Timing of device work for benches: a graph of repeated launches, replayed between two events.
#pragma once
#include <functional>
#include <vector>

#include "runtime/driver/graph.h"

namespace barline::driver {

struct TimingOptions {
  int launches_per_graph = 20;  ///< spreads the cost of the graph launch and of the events
  int warmups = 3;              ///< graph replays that are not counted
  int samples = 21;             ///< graph replays that are counted
  bool flush_l2 = false;        ///< overwrite L2 before every sample; use with one launch a graph
};

/// Microseconds for one launch.
struct Timing {
  double median = 0, min = 0, max = 0;
  double p10 = 0, p90 = 0;
  std::vector<double> samples;  ///< in the order measured

  /// (p90 - p10) / median: how far a single number can be trusted.
  double spread() const { return median > 0 ? (p90 - p10) / median : 0; }
};

/// Times what `record` puts on the stream, called options.launches_per_graph times under capture.
Timing time_graph(const Stream& stream, const std::function<void(const Stream&)>& record,
                  const TimingOptions& options = {});

/// Order statistics of raw samples; throws std::invalid_argument on none.
Timing summarize(std::vector<double> samples);

}  // namespace barline::driver
