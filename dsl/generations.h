// SPDX-License-Identifier: Apache-2.0
// Blocks of one cooperative launch that meet through counters in global memory. The counters are
// zeroed once, when they are allocated: what a launch leaves in them carries the launch's number,
// its generation, so the next one needs no reset, also after a launch whose blocks all started and
// then left early. (A launch that some block never started leaves the generations apart: zero the
// counters after it.)
//
//   launches  u64, one a block: how often it started. Each block writes its own alone.
//   flag      u64: the last generation that released it.
//   arrivals  u64: generation * 2^16 + arrivals of that generation.
#pragma once

#include "dsl/thread.h"

namespace barline::dsl {

class Generations {
 public:
  /// At the block's entry, for every block of the launch. `launch`: this block's own counter.
  Generations(Thread& t, const Place& launch);

  /// What the block's threads wrote so far is seen by whoever waits for the flag in this launch.
  void release(const Place& flag);
  /// Until this launch's release of the flag; one thread spins.
  void wait(const Place& flag);
  /// `last` runs, with the whole block, in the one of `parts` blocks that arrives last; it sees
  /// what the threads of all of them wrote before. parts: 1 .. 65535.
  void when_last(const Place& arrivals, const Operand& parts, const std::function<void()>& last);
  /// The block's threads see what each of them wrote to global memory, for which the compiler
  /// places no barrier. `why`: what it orders, for people.
  void meet(const char* why, ir::Loc loc = Here::current());

 private:
  Thread& t_;
  Value leader_;    ///< i1: the thread that speaks for the block
  Var generation_;  ///< of this launch, in the leader alone
};

}  // namespace barline::dsl
