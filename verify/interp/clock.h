// SPDX-License-Identifier: Apache-2.0
// Vector clocks for release and acquire. A block counts its synchronisations; every access carries
// its thread's count. Barriers and warp syncs only raise floors (all of a block's, all of a warp's
// accesses up to a count are ordered), so a clock lists threads, warps and blocks, not all threads.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <unordered_map>

#include "verify/interp/program.h"

namespace barline::verify::sim {

struct Clock {
  std::map<std::uint64_t, std::uint32_t> threads;  ///< warp * 32 + lane -> count
  std::map<std::uint32_t, std::uint32_t> warps;
  std::map<std::uint32_t, std::uint32_t> blocks;
  std::map<std::uint64_t, std::uint32_t> gates;  ///< gate_key -> count at which a phase completed
  std::map<std::uint64_t, std::uint32_t>
      fenced;  ///< thread -> accesses that its proxy fence covers

  /// Are the accesses of `who` (lanes of a warp) up to `count` known here?
  bool covers(std::uint32_t warp, std::uint32_t count, Mask who, std::uint32_t warps_a_block) const;
  void join(const Clock& other);
};
/// A gate of a block, as clocks name it.
constexpr std::uint64_t gate_key(std::int64_t block, std::uint32_t gate) {
  return static_cast<std::uint64_t>(block) << 20 | gate;
}
using SharedClock = std::shared_ptr<const Clock>;
SharedClock join(const SharedClock& a, const SharedClock& b);

/// What a lane knows beyond its block's and warp's floors, and what its fences keep for later.
struct LaneSync {
  SharedClock known;
  SharedClock fence_release;        ///< a later relaxed write publishes it
  bool fence_release_wide = false;  ///< ... to other blocks
  SharedClock fence_acquire;        ///< relaxed reads brought it; the next fence takes it
  SharedClock fence_acquire_block;  ///< that part of it which this block released
};

/// The clocks that releases left at locations; keys are locations of one memory.
class SyncMap {
 public:
  void load(Warp& w, int lane, std::uint64_t key, const Access& a);
  void store(Warp& w, int lane, std::uint64_t key, const Access& a);
  void rmw(Warp& w, int lane, std::uint64_t key, const Access& a);
  /// A weak store ends what earlier releases left there.
  void weak_store(std::uint64_t key) {
    if (!at_.empty()) at_.erase(key);
  }
  void clear() { at_.clear(); }

 private:
  struct Left {
    SharedClock clock;
    bool wide = true;
    std::uint32_t block = 0;
  };
  void take(Warp& w, int lane, const Left& left, const Access& a);
  Left offered(Warp& w, int lane, const Access& a);
  std::unordered_map<std::uint64_t, Left> at_;
};

/// All that happened before this lane's next access.
SharedClock clock_of(const Warp& w, int lane);
/// All that happened before the next access of any lane of the warp; those are counted anew.
SharedClock publish_warp(Warp& w);
/// The lanes learn what the clock knows.
void learn(Warp& w, Mask who, const SharedClock& clock);
/// fence.proxy.async by some lanes of the warp.
void fence_proxy(Warp& w, Mask who);
/// Has each of these lanes of a warp fenced its accesses up to the count, as this lane knows?
bool proxy_fenced(const Warp& w, int lane, std::uint32_t warp, std::uint32_t count, Mask who);

/// fence.acq_rel by one lane; `wide`: at a scope that reaches other blocks.
void fence(Warp& w, int lane, bool wide);
/// The knowledge of all lanes of the warp becomes that of each.
void merge_lanes(Warp& w);

}  // namespace barline::verify::sim
