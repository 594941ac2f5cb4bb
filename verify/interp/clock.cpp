// SPDX-License-Identifier: Apache-2.0
// Release and acquire after the PTX memory model: a release leaves the thread's clock at the
// location, an RMW continues the release sequence, a plain store ends it; a fence makes earlier
// relaxed reads acquire and later relaxed writes release.
#include "verify/interp/clock.h"

#include <algorithm>

#include "verify/interp/machine.h"

namespace barline::verify::sim {
namespace {

template <class Map>
bool reaches(const Map& m, typename Map::key_type key, std::uint32_t count) {
  auto it = m.find(key);
  return it != m.end() && it->second >= count;
}

template <class Map>
void join_map(Map& into, const Map& other) {
  for (const auto& [key, count] : other) {
    std::uint32_t& mine = into[key];
    mine = std::max(mine, count);
  }
}

std::uint64_t thread_key(std::uint32_t warp, int lane) {
  return std::uint64_t{warp} * lanes + static_cast<std::uint64_t>(lane);
}

std::shared_ptr<Clock> copy_of(const SharedClock& c) {
  return c ? std::make_shared<Clock>(*c) : std::make_shared<Clock>();
}

}  // namespace

SharedClock clock_of(const Warp& w, int lane) {
  auto clock = copy_of(w.sync[lane].known);
  clock->threads[thread_key(w.id, lane)] = w.count[lane];
  if (w.floor) clock->warps[w.id] = w.floor;
  if (w.block->floor) clock->blocks[static_cast<std::uint32_t>(w.block->linear)] = w.block->floor;
  return clock;
}

SharedClock publish_warp(Warp& w) {
  SharedClock all;
  for (const LaneSync& s : w.sync) all = join(all, s.known);
  auto clock = copy_of(all);
  clock->warps[w.id] = w.block->count++;
  if (w.block->floor) clock->blocks[static_cast<std::uint32_t>(w.block->linear)] = w.block->floor;
  std::fill_n(w.count, lanes, w.block->count);
  return clock;
}

void learn(Warp& w, Mask who, const SharedClock& clock) {
  if (!clock) return;
  w.block->has_clocks = true;
  SharedClock before, after;
  bool first = true;
  for_each_lane(who, [&](int l) {  // lanes mostly know the same
    SharedClock& known = w.sync[l].known;
    if (first || known != before) {
      before = known;
      after = join(known, clock);
      first = false;
    }
    known = after;
  });
}

void fence_proxy(Warp& w, Mask who) {
  for_each_lane(who, [&](int l) {
    auto fenced = std::make_shared<Clock>();
    fenced->fenced[thread_key(w.id, l)] = w.count[l];
    learn(w, Mask{1} << l, fenced);
  });
  const std::uint32_t next = ++w.block->count;
  for_each_lane(who, [&](int l) { w.count[l] = next; });
}

bool proxy_fenced(const Warp& w, int lane, std::uint32_t warp, std::uint32_t count, Mask who) {
  const SharedClock& known = w.sync[lane].known;
  if (!known) return false;
  for (; who; who &= who - 1)
    if (!reaches(known->fenced, thread_key(warp, std::countr_zero(who)), count)) return false;
  return true;
}

bool Clock::covers(std::uint32_t warp, std::uint32_t count, Mask who,
                   std::uint32_t warps_a_block) const {
  if (reaches(blocks, warp / warps_a_block, count) || reaches(warps, warp, count)) return true;
  for (; who; who &= who - 1)
    if (!reaches(threads, thread_key(warp, std::countr_zero(who)), count)) return false;
  return true;
}

void Clock::join(const Clock& other) {
  join_map(threads, other.threads);
  join_map(warps, other.warps);
  join_map(blocks, other.blocks);
  join_map(gates, other.gates);
  join_map(fenced, other.fenced);
}

SharedClock join(const SharedClock& a, const SharedClock& b) {
  if (!a || a == b) return b ? b : a;
  if (!b) return a;
  auto joined = std::make_shared<Clock>(*a);
  joined->join(*b);
  return joined;
}

void SyncMap::take(Warp& w, int lane, const Left& left, const Access& a) {
  bool same_block = left.block == w.block->linear;
  if (!left.clock || !(same_block || (left.wide && a.wide))) return;
  LaneSync& sync = w.sync[lane];
  w.block->has_clocks = true;
  if (a.acquires()) {
    sync.known = join(sync.known, left.clock);
  } else {
    sync.fence_acquire = join(sync.fence_acquire, left.clock);
    if (same_block) sync.fence_acquire_block = join(sync.fence_acquire_block, left.clock);
  }
}

SyncMap::Left SyncMap::offered(Warp& w, int lane, const Access& a) {
  auto block = static_cast<std::uint32_t>(w.block->linear);
  const LaneSync& sync = w.sync[lane];
  if (!a.releases()) return {sync.fence_release, a.wide && sync.fence_release_wide, block};
  SharedClock clock = clock_of(w, lane);
  w.count[lane] = ++w.block->count;
  return {clock, a.wide, block};
}

void SyncMap::load(Warp& w, int lane, std::uint64_t key, const Access& a) {
  if (auto it = at_.find(key); it != at_.end()) take(w, lane, it->second, a);
}

void SyncMap::store(Warp& w, int lane, std::uint64_t key, const Access& a) {
  at_[key] = offered(w, lane, a);
}

void SyncMap::rmw(Warp& w, int lane, std::uint64_t key, const Access& a) {
  Left& left = at_[key];
  take(w, lane, left, a);
  Left mine = offered(w, lane, a);
  if (!mine.clock) return;
  if (left.clock) mine = {join(left.clock, mine.clock), left.wide && mine.wide, mine.block};
  left = mine;
}

void fence(Warp& w, int lane, bool wide) {
  LaneSync& sync = w.sync[lane];
  sync.known = join(sync.known, wide ? sync.fence_acquire : sync.fence_acquire_block);
  if (wide) sync.fence_acquire = nullptr;
  sync.fence_acquire_block = nullptr;
  sync.fence_release = clock_of(w, lane);
  sync.fence_release_wide = wide;
  w.count[lane] = ++w.block->count;
  w.block->has_clocks = true;
}

void merge_lanes(Warp& w) {
  SharedClock all;
  for (const LaneSync& s : w.sync) all = join(all, s.known);
  for (LaneSync& s : w.sync) s.known = all;
}

}  // namespace barline::verify::sim
