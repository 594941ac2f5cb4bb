// SPDX-License-Identifier: Apache-2.0
// What a launch's end waited for. The last arriver is the block whose work was done last; what
// others waited until then is idle time, not the cost of meeting.
#pragma once

#include <limits>

#include "runtime/regions/samples.h"

namespace barline::regions {

inline constexpr std::size_t no_block = std::numeric_limits<std::size_t>::max();

/// A part of the path, in ns after the launch's first block began.
struct Segment {
  std::size_t block = no_block;
  /// Empty: between regions. "a + b" of regions that came in turn, in the table's order: of each
  /// only the first begin and the last end are known, and these stretches overlap.
  std::string region;
  double from = 0, to = 0;
};

struct CriticalPath {
  /// The block that came to the region of class dynamic_single_block; where several did, the one
  /// that ended last; where none did, the block whose work ended last.
  std::size_t last_arriver = no_block;
  bool elected = false;  ///< it is the one that came to such a region
  double arrived = 0;    ///< its last work's end before that region
  /// From a block's last work's end to the last arriver's, in ns, over the other blocks with work.
  double idle_median = 0, idle_max = 0;
  /// From the arrival to the elected region's begin: what the meeting itself costs.
  double meeting = 0;
  /// Backwards through the block that ended last; at a wait, on through the block whose work in a
  /// region that stands before it ended last before the wait did. In order of time.
  std::vector<Segment> segments{};
};

/// Empty where no block ran.
CriticalPath critical_path(const Samples& samples, const Launch& launch);

}  // namespace barline::regions
