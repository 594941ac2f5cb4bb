// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "ir/passes/pending_p.h"

namespace barline::ir {
namespace {

bool same(const SlotAccess& a, const SlotAccess& b) {
  return a.offset == b.offset && a.index == b.index && a.use == b.use && a.lanes == b.lanes &&
         a.atomic == b.atomic && a.async == b.async && a.warp_synced == b.warp_synced &&
         a.warp_wide == b.warp_wide;
}

}  // namespace

bool Pending::add(const SlotAccess& a) {
  std::vector<SlotAccess>& list = a.write ? slots_[a.slot].writes : slots_[a.slot].reads;
  for (SlotAccess& b : list) {
    if (!same(a, b)) continue;
    if (a.groups >= b.groups) return false;
    b.groups = a.groups;
    return true;
  }
  list.push_back(a);
  return true;
}

bool Pending::merge(const Pending& other) {
  bool grew = false;
  other.each([&](const SlotAccess& a) { grew = add(a) || grew; });
  return grew;
}

void Pending::barrier(std::optional<int> pending) {
  for (Slot& s : slots_) {
    s.reads.clear();
    std::erase_if(s.writes, [&](const SlotAccess& a) {
      return !a.async || (pending && a.groups > *pending);
    });
  }
}

void Pending::commit() {
  for (Slot& s : slots_)
    for (SlotAccess& a : s.writes)
      if (a.async) a.groups = std::min(a.groups + 1, most_groups);
}

void Pending::warp_sync() {
  each([](SlotAccess& a) { a.warp_synced = !a.async; });
}

Need Pending::need(Conflicts& conflicts, const SlotAccess& next, bool any) const {
  Need need;
  auto hold = [&](const std::vector<SlotAccess>& list) {
    for (const SlotAccess& a : list) {
      if ((any && need.barrier) || !conflicts(a, next)) continue;
      if (!need.barrier) need.old = a;
      need.barrier = true;
      if (!a.async) continue;
      need.uncommitted = need.uncommitted || a.groups == 0;
      need.pending = std::min(need.pending.value_or(most_groups), std::max(a.groups - 1, 0));
    }
  };
  const Slot& slot = slots_[next.slot];
  hold(slot.writes);
  if (next.write) hold(slot.reads);
  return need;
}

}  // namespace barline::ir
