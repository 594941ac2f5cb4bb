// SPDX-License-Identifier: Apache-2.0
// The protocol of a ring behind gates, explored in every interleaving. One agent fills a ring of
// slots by copies that land on their own, others read it; both count uses. The replay (L1) follows
// one order of a whole kernel and shows that others do not differ; here the protocol alone, with
// gates as the hardware has them (a wait sees the parity of a phase, not its number), is walked
// through all states. What split_roles writes is RingProtocol as it stands; the fields are what
// may be off by one.
#pragma once

#include <cstdint>

#include "verify/state_walk.h"

namespace barline::verify {

struct RingProtocol {
  int slots = 2;
  int readers = 2;  ///< warps that release a slot: each arrives once
  int uses = 6;
  int copies = 2;        ///< that fill a slot, each of one announced unit
  int tile = 0;          ///< uses after which readers release all they hold; 0: at the end alone
  int lag = 0;           ///< uses by which a slot is released late
  int announced = 2;     ///< units
  int arrivals = 2;      ///< of the empty gate, as declared
  int full_phase = 0;    ///< added to the phase that a reader waits for: use / slots
  int empty_phase = -1;  ///< added to the phase that the filler waits for
  int released = 0;      ///< added to the use whose slot is released
};

/// Walks all states, breadth first, to the first fault: a deadlock, a wait that passes though its
/// phase is not complete, a wait that is lapped (the phase after its own completes while it waits,
/// so that the parity tells nothing), a copy to a slot that is being read or not yet read, a read
/// of another use's data, a gate with more arrivals or bytes than it takes.
WalkVerdict explore(const RingProtocol& p);

}  // namespace barline::verify
