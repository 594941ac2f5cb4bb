// SPDX-License-Identifier: Apache-2.0
// What blocks wrote to the buffer of a timed kernel, read back: times of each region in each block
// of each launch, on one time line.
//
// Durations are differences of %clock64. A block's stamps are placed by its own begin, which it
// took of both clocks: ns = timer_begin + (clock - clock_begin) * ns_a_cycle. The rate is that of
// all blocks together, so that the timer's coarse steps average out.
#pragma once

#include <span>
#include <vector>

#include "runtime/regions/layout.h"

namespace barline::regions {

/// One region in one block of one launch. Nothing but zeros where the block never came there.
struct Visit {
  std::uint64_t count = 0;              ///< times
  double cycles = 0, min = 0, max = 0;  ///< all times together; the quickest, the slowest
  double first = 0, last = 0;           ///< ns after the launch's first block began
  bool placed = false;                  ///< first and last are known
};

struct Block {
  std::size_t index = 0;  ///< linear, x fastest
  bool ran = false;
  std::uint64_t sm = 0;
  double begin = 0, end = 0;  ///< ns after the launch's first block began
  double cycles = 0;          ///< from its begin to its end
  std::vector<Visit> visits;  ///< by region
};

struct Launch {
  std::vector<Block> blocks;
  double span = 0;  ///< ns from the first begin to the last end
};

struct Clocks {
  double ns_a_cycle = 1;
  bool calibrated = false;  ///< false: the timer did not move, and a cycle counts as one ns
  double timer_step = 0;    ///< ns: the smallest step between two stamps that differ; 0: none do
  double clock_step = 0;    ///< cycles, likewise
};

struct Samples {
  std::vector<Region> table{};
  std::vector<Launch> launches{};
  Clocks clocks{};
  /// Visits whose stamps do not ascend: the clock wrapped, or the buffer was not zeroed. Their sums
  /// stand, their place on the time line does not.
  std::size_t unplaced = 0;
};

/// Reads one buffer a launch. Throws std::invalid_argument for a buffer that is not of `blocks`
/// rows.
Samples read_samples(std::vector<Region> table, std::size_t blocks,
                     std::span<const std::vector<std::uint64_t>> buffers);

}  // namespace barline::regions
