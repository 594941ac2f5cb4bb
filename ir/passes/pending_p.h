// SPDX-License-Identifier: Apache-2.0
// The slot accesses that later ones are held against: those since the last barrier, and
// asynchronous copies that have not landed.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "ir/effects.h"

namespace barline::ir {

/// What must stand between earlier accesses and the next one.
struct Need {
  bool barrier = false;
  std::optional<int> pending;     ///< copies must have landed: groups that may stay in flight
  bool uncommitted = false;       ///< one of them is in no group yet
  std::optional<SlotAccess> old;  ///< the first access of those in the way
};

class Pending {
 public:
  explicit Pending(const Kernel& k) : slots_(k.slots.size()) {}

  /// Adds the access; true if the set did not have it. Of one copy in different numbers of groups
  /// the youngest stands for all: what waits for it waits for them.
  bool add(const SlotAccess& a);
  bool merge(const Pending& other);

  /// Keeps only copies in flight: with `pending` n those of the n latest groups.
  void barrier(std::optional<int> pending);
  void commit();
  void warp_sync();

  /// What `next` needs before it; with `any`, only whether it needs something.
  Need need(Conflicts& conflicts, const SlotAccess& next, bool any) const;

  /// Calls visit(access) on every access, which it may change.
  template <class Visit>
  void each(Visit&& visit) {
    for (Slot& s : slots_)
      for (std::vector<SlotAccess>* list : {&s.reads, &s.writes})
        for (SlotAccess& a : *list) visit(a);
  }
  template <class Visit>
  void each(Visit&& visit) const {
    for (const Slot& s : slots_)
      for (const std::vector<SlotAccess>* list : {&s.reads, &s.writes})
        for (const SlotAccess& a : *list) visit(a);
  }

 private:
  /// Reads meet writes alone, and most accesses are reads.
  struct Slot {
    std::vector<SlotAccess> reads, writes;
  };
  std::vector<Slot> slots_;
};

}  // namespace barline::ir
