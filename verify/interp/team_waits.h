// SPDX-License-Identifier: Apache-2.0
// Waits of some warps for each other: barriers of some of a block's warps, the barrier of a
// cluster's blocks, the block's pool of registers; and what is said when all wait forever.
#pragma once

#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "verify/interp/clock.h"
#include "verify/interp/finding.h"

namespace barline::verify::sim {

inline constexpr int named_barriers = 16;

/// A barrier of some warps, while some have come.
struct NamedBarrier {
  std::vector<Warp*> here;
  SharedClock arriving;
};

/// Blocks that are resident together, by rank, and their barrier.
struct Cluster {
  std::vector<Block*> blocks;
  std::uint32_t phase = 0;
  std::size_t arrived = 0;  ///< warps
  std::size_t ended = 0;    ///< warps that the barrier does not wait for: they have not arrived
  SharedClock arriving, released;
  /// What warps brought to their n-th merge, by warp of a block and n; of each rank.
  std::map<std::pair<std::uint32_t, std::uint32_t>, std::vector<std::vector<float>>> parts;
};

/// Lanes of another block that stored to one of this block's slots.
struct RemoteStore {
  std::uint32_t warp = 0, count = 0;
  Mask who = 0;
  std::uint32_t pc = 0;
};

/// The warp comes to barrier `id` of `warps` warps, and waits unless it is the last.
void come_to_named(Warp& w, std::uint32_t id, std::int64_t warps);
void arrive_at_cluster(Warp& w);
/// A warp that has ended is not waited for.
void leave_cluster(Warp& w);
/// The cluster's warps look again for what they wait for.
void wake_cluster(Cluster& c);
/// Has the cluster's barrier completed for the warp? Then it knows what the arrivals released.
bool cluster_waited(Warp& w);
/// Gives each thread of the warp so many registers; false if the pool lacks them.
bool take_registers(Warp& w, std::int32_t count);
/// The block has ended: halts if another block may still store to it.
void require_remote_stores_seen(const Block& b);
/// What a warp that waits forever waits for.
Finding stuck(const Warp& w);

}  // namespace barline::verify::sim
