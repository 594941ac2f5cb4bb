// SPDX-License-Identifier: Apache-2.0
// Blocks of one cooperative launch that meet through counters in global memory: ir/meeting.h says
// what the counters hold, and why nobody resets them.
#pragma once

#include <cstdint>
#include <optional>

#include "dsl/thread.h"

namespace barline::dsl {

/// What a wait does that is not met, in a kernel built for debugging.
struct GiveUp {
  std::int64_t after_ns = 0;
  Place report;  ///< u64 of the flag's tensor that takes ir::MeetingReport; the block then leaves
};

class Generations {
 public:
  /// At the block's entry, for every block of the launch. `launch`: this block's own counter.
  Generations(Thread& t, const Place& launch);

  /// What the block's threads wrote so far is seen by whoever waits for the flag in this launch.
  void release(const Place& flag);
  /// Until this launch's release of the flag; one thread spins.
  void wait(const Place& flag, const std::optional<GiveUp>& give_up = {});
  /// True, for the whole block, in the one of `parts` blocks that arrives last; it sees what the
  /// threads of all of them wrote before. parts: 1 .. 65535. Of one part the block is the last, and
  /// nothing is counted.
  Value arrive_last(const Place& arrivals, const Operand& parts);
  /// `last` runs where arrive_last is true.
  void when_last(const Place& arrivals, const Operand& parts, const std::function<void()>& last);
  /// A barrier of `parts` blocks, each of which comes here once: each sees what the threads of all
  /// of them wrote before. The word of arrivals is of this barrier alone.
  void meet_all(const Place& arrivals, const Operand& parts);
  /// The block's threads see what each of them wrote to global memory, for which the compiler
  /// places no barrier. `why`: what it orders, for people.
  void meet(const char* why, ir::Loc loc = Here::current());

 private:
  std::vector<Value> at(const Place& counter);
  Value parts_of(const Operand& parts, const char* what);

  Thread& t_;
  Value generation_;  ///< of this launch, in the first thread alone
};

}  // namespace barline::dsl
