// SPDX-License-Identifier: Apache-2.0
// Blocks of one launch that meet through counters in global memory: u64, zeroed once, when they are
// allocated. What a launch leaves in them carries the launch's number, its generation, so the next
// one needs no reset, also after a launch whose blocks all started and then left early. (A launch
// that some block never started leaves the generations apart: zero the counters after it.)
//
//   launches  one a block: how often it started. Each block writes its own alone.
//   flag      the last generation that released it.
//   arrivals  generation * 2^16 + arrivals of that generation.
//   report    of a wait that timed out: generation * 2^40 + block * 2^16 + line of the wait.
#pragma once

#include <cstdint>

namespace barline::ir {

inline constexpr int arrival_bits = 16;
/// Blocks that may arrive at one word.
inline constexpr std::int64_t most_arrivals = (std::int64_t{1} << arrival_bits) - 1;

inline constexpr int report_line_bits = 16, report_block_bits = 24;

/// What a block that left says of itself.
struct MeetingReport {
  std::uint64_t generation = 0;
  std::uint32_t block = 0, line = 0;  ///< linear in the grid; of the source
};
constexpr MeetingReport meeting_report(std::uint64_t word) {
  return {word >> (report_line_bits + report_block_bits),
          static_cast<std::uint32_t>(word >> report_line_bits & ((1u << report_block_bits) - 1)),
          static_cast<std::uint32_t>(word & ((1u << report_line_bits) - 1))};
}

}  // namespace barline::ir
