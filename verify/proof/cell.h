// SPDX-License-Identifier: Apache-2.0
// Cell: who touched one element of memory since the last barrier, and whether a new access races
// with them. Two accesses of a block are ordered if a barrier lies between, if one thread made
// both, or if their warp synchronised in between. Up to three earlier threads of a kind are kept:
// two of one warp and one of another, which is enough to meet every later thread.
#pragma once

#include <cstdint>
#include <limits>

#include "ir/team.h"
#include "verify/proof/plan.h"

namespace barline::verify::proof {

/// One access by one thread. Epochs start at 1, so that an entry of 0 is none.
struct Entry {
  std::uint32_t epoch = 0;       ///< barriers that the block has passed
  std::uint32_t warp_epoch = 0;  ///< syncs that the thread's warp has passed
  std::int32_t op = -1;          ///< Step::index
  std::uint16_t thread = 0;
  bool possible = false;   ///< under a condition that is not known
  std::uint8_t block = 0;  ///< ordinal of the replayed block

  int warp() const { return thread / ir::warp_size; }
};

/// True if `old` is ordered before `now` within the block.
inline bool ordered(const Entry& old, const Entry& now) {
  if (old.epoch != now.epoch || old.thread == now.thread) return true;
  return old.warp() == now.warp() && old.warp_epoch != now.warp_epoch;
}

/// Accesses of one kind to one element since the last barrier.
struct Group {
  Entry e[3];  ///< 0, 1: two threads of one warp since its last sync; 2: a thread of another warp

  void add(const Entry& now) {
    if (e[0].epoch != now.epoch) {
      e[0] = now;
      e[1].epoch = e[2].epoch = 0;
    } else if (e[0].warp() != now.warp()) {
      if (e[2].epoch != now.epoch || (e[2].possible && !now.possible)) e[2] = now;
    } else if (e[0].warp_epoch != now.warp_epoch) {
      e[0] = now;
      e[1].epoch = 0;
    } else if (e[0].thread != now.thread) {
      if (e[1].epoch != now.epoch || (e[1].possible && !now.possible)) e[1] = now;
    } else {
      e[0].possible &= now.possible;
    }
  }
  /// An access that `now` races with, or null; one that surely happened before one that may have.
  const Entry* conflict(const Entry& now) const {
    const Entry* found = nullptr;
    for (const Entry& old : e)
      if (!ordered(old, now) && (!found || (found->possible && !old.possible))) found = &old;
    return found;
  }
};

inline const Entry* first_of(const Entry* a, const Entry* b) {
  return !a || (b && a->possible && !b->possible) ? b : a;
}

/// The use of a slot that an access names, where it does not go through slot_at or its use is not
/// known.
inline constexpr std::int64_t any_use = std::numeric_limits<std::int64_t>::min();

/// What is kept of an element of shared memory; of one with atomic accesses also `StrongCell`.
struct Cell {
  Entry writer;
  Group readers;
  std::uint8_t written = 0;          ///< No, Yes or Maybe: initialised
  std::int64_t filled_as = any_use;  ///< the use that its writer named
};
struct StrongCell {
  Group readers, writers;
};

/// Records the access; returns the earlier one that it races with, or null. `readers` is null where
/// nothing ever reads.
inline const Entry* touch_weak(Entry& writer, Group* readers, StrongCell* strong, const Entry& now,
                               bool write) {
  const Entry* hit = ordered(writer, now) ? nullptr : &writer;
  if (strong) hit = first_of(hit, strong->writers.conflict(now));
  if (!write) {
    if (!hit) readers->add(now);
    return hit;
  }
  if (readers) hit = first_of(hit, readers->conflict(now));
  if (strong) hit = first_of(hit, strong->readers.conflict(now));
  if (hit) return hit;
  bool sure = !now.possible ||
              (!writer.possible && writer.epoch == now.epoch && writer.thread == now.thread);
  writer = now;
  writer.possible = !sure;
  return nullptr;
}

inline const Entry* touch_strong(Entry& writer, Group* readers, StrongCell& strong,
                                 const Entry& now, bool write) {
  const Entry* hit = ordered(writer, now) ? nullptr : &writer;
  if (write && readers) hit = first_of(hit, readers->conflict(now));
  if (!hit) (write ? strong.writers : strong.readers).add(now);
  return hit;
}

inline const Entry* touch(Entry& writer, Group* readers, StrongCell* strong, const Entry& now,
                          Touch kind) {
  if (is_strong(kind)) return touch_strong(writer, readers, *strong, now, is_write(kind));
  return touch_weak(writer, readers, strong, now, is_write(kind));
}

}  // namespace barline::verify::proof
