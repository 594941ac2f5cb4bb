// SPDX-License-Identifier: Apache-2.0
// Asynchronous copies in flight. Their bytes arrive at the last moment that the kernel allows: when
// a thread waits for the group. Until then the destination holds poison, and whoever touches it,
// the thread that copied too, races with the copy.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "verify/interp/program.h"

namespace barline::verify::sim {

class Shadow;

/// One lane's copy, or a piece of it.
struct Flight {
  std::byte* to = nullptr;
  const std::byte* from = nullptr;  ///< null: zeros
  Shadow* shadow = nullptr;         ///< of the slot, if it has one
  std::int64_t first_cell = 0;
  std::int32_t cells = 0;
  std::int32_t bytes = 0;
  std::int32_t lane = 0;
  std::uint32_t pc = 0;    ///< after the copy
  std::uint32_t warp = 0;  ///< that copies
};

/// From now on nobody may touch what the copy writes.
void take_off(const Warp& w, const Flight& f);

/// A warp's copies, oldest first. Groups are closed by all lanes together.
class Flights {
 public:
  /// From now on nobody may touch what the copy writes.
  void issue(const Warp& w, const Flight& f);
  void commit() { groups_.push_back(flights_.size()); }
  /// Copies land until at most `pending` groups are in flight.
  void wait(Warp& w, std::size_t pending);
  /// The block has ended: what is in flight arrives nowhere.
  void drop();

 private:
  std::vector<Flight> flights_;
  std::vector<std::size_t> groups_;  ///< where each committed group ends in flights_
};

}  // namespace barline::verify::sim
