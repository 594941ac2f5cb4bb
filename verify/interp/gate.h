// SPDX-License-Identifier: Apache-2.0
// Gates (mbarriers) by the exact number of their phases, and the copies that report to them. The
// hardware sees a phase's parity alone, so whoever arrives or waits must know that the phase before
// is complete, and a phase completes only after every wait for the one before: else another order
// of the same kernel passes, or hangs. Copies land when a thread that needs the phase would
// otherwise block.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "verify/interp/clock.h"
#include "verify/interp/flight.h"

namespace barline::verify::sim {

struct Gate {
  std::uint32_t number = 0;  ///< in the block
  int slot = -1;
  int copy = 0;
  std::int32_t declared = 1;  ///< arrivals that a phase takes

  std::int64_t phase = 0;                  ///< the one that is not complete
  std::int32_t missing = 1;                ///< arrivals that it lacks
  std::int64_t announced = 0, copied = 0;  ///< bytes of it
  std::vector<Flight> flights;
  SharedClock arriving;                    ///< what its arrivals release
  SharedClock released;                    ///< what those of the phase before did
  std::uint32_t completed_at[2] = {0, 0};  ///< counts, of the phase before and the one before that
  struct Waited {
    std::uint32_t warp = 0, count = 0;
    Mask who = 0;
    std::uint32_t pc = 0;
  };
  std::vector<Waited> waited;  ///< for the phase before

  void reset();
  bool may_complete() const { return missing == 0 && announced == copied; }
};

/// One arrival by a lane, which announces `bytes`.
void arrive(Warp& w, int lane, Gate& g, std::int64_t bytes);
/// A copy by a lane: its pieces are on their way. `bytes` of them report to the gate.
void issue(Warp& w, int lane, Gate& g, std::vector<Flight> pieces, std::int64_t bytes);
/// Is phase n complete for this lane? Lets copies land that it needs.
bool is_complete(Warp& w, int lane, Gate& g, std::int64_t n);
/// The lane has waited for phase n: it knows what the phase released.
void acquire(Warp& w, Mask who, Gate& g);
/// Halts if copies or announced bytes of a block that has ended are left.
void require_settled(const Block& b);
/// "phase 3 of gate 'full' copy 1 lacks 1 of 2 arrivals and 128 of 4096 bytes".
std::string lacking(const Warp& w, const Gate& g);

}  // namespace barline::verify::sim
