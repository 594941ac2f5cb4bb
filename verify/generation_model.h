// SPDX-License-Identifier: Apache-2.0
// The protocol by which blocks meet through generation counters (dsl/generations.h), explored in
// every interleaving over several launches, of which some are cut short: each block starts and may
// then leave before any step. What a block knows of the others' writes is followed as release and
// acquire give it; a relaxed access orders nothing. Inside kernels the simulator follows the same
// accesses in some orders; here the protocol alone is walked through all states. The fields are
// what may be wrong; as they stand they are what dsl::Generations writes.
#pragma once

#include <cstdint>
#include <vector>

#include "verify/state_walk.h"

namespace barline::verify {

struct GenerationProtocol {
  int blocks = 3;
  std::vector<bool> cut_short = {false, false, false};  ///< a launch each
  bool meets_all = false;    ///< a barrier of all: who arrived waits for the others, then gathers
  bool producer = false;     ///< block 0 writes what the others wait for before they work
  bool starts_late = false;  ///< a launch that is cut short may end before a block started
  bool lift = true;          ///< max takes the word of arrivals to this generation
  bool release = true;       ///< the add that counts an arrival releases
  bool acquire = true;       ///< .. and acquires
  bool flag_release = true;  ///< the producer's store of the flag releases
  bool flag_acquire = true;  ///< the load of the flag acquires
  bool waits = true;         ///< others wait for the flag at all
  int waits_for = 0;         ///< added to the generation that they wait for
  int last_at = 0;           ///< added to the arrivals at which a block is the last, or goes on
  bool lifts_before = true;  ///< the word is lifted before the arrival is counted
};

/// Walks all states, breadth first, to the first fault: a deadlock, a launch that nobody gathers or
/// two blocks do, a block that uses what it does not know to be written.
WalkVerdict explore(const GenerationProtocol& p);

}  // namespace barline::verify
