// SPDX-License-Identifier: Apache-2.0
// Samples reduced to what a table of regions says, and how well the regions cover the blocks.
#pragma once

#include "runtime/regions/samples.h"

namespace barline::regions {

/// One region over all launches. A value is what one block spent there in one launch, in us; blocks
/// that never came there are left out.
struct RegionTimes {
  Region region{};
  std::size_t values = 0;   ///< blocks that came there, over the launches
  std::size_t dropped = 0;  ///< blocks that ran and never came there
  double mean = 0, median = 0, p99 = 0, total = 0;
  std::uint64_t times = 0;  ///< that blocks came through
  double min = 0, max = 0;  ///< us of one time
  double share = 0;         ///< median / span of a launch; NaN of a wait
};

/// What the regions of a block add up to, over what lies between its begin and its end. Blocks that
/// come to no region are left out.
struct Coverage {
  double median = 0, worst = 0;  ///< the worst is the one farthest from 1
  std::size_t blocks = 0;
};

struct Reduced {
  std::vector<RegionTimes> regions{};
  double span = 0;  ///< us of a launch, first begin to last end: median over launches
  std::size_t launches = 0, blocks = 0;
  Coverage coverage{};
  std::vector<std::string> warnings{};
};

Reduced reduce(const Samples& samples);

/// At share q of the sorted values, linear between neighbours; 0 of none.
double quantile(std::vector<double> values, double q);

}  // namespace barline::regions
