// SPDX-License-Identifier: Apache-2.0
// First every hazard is covered at the latest place (sync_walk.cpp): on a straight line the latest
// place that still separates a hazard's two ends covers the most hazards, so the number is least.
//
// The latest place may be inside a loop whose every trip would then wait for what was written once
// before it: a barrier moves out in front of its loop where that leaves no hazard. And placing from
// loop entry on can leave a barrier that a later one makes needless: each barrier is taken out in
// turn, and put back only if the walk then finds a hazard. A barrier that was there before stays if
// it may order accesses to global memory, which this pass does not see.
//
// A barrier in a branch may do the work of a later one if it stands in front of the branch, and one
// that waits for copies if it waits longer: a ring of n slots then costs one barrier a trip, which
// waits for all but n - 2 groups and frees the slot that is copied to next. At the end each barrier
// waits for as little as covers its hazards.
#include "ir/passes/place_syncs.h"

#include <algorithm>

#include "ir/passes/sync_walk_p.h"

namespace barline::ir {
namespace {

constexpr Key gone = SyncWalk::gone;

/// Marks the barriers that were there, for as long as the pass runs.
constexpr Key kept = Key::Dim;

/// May barriers order accesses to global memory? Not where every tensor is only read, or written by
/// a single op that runs once.
bool global_order_matters(const Kernel& k) {
  std::vector<int> reads(k.params.size()), writes(k.params.size());
  auto defs = definitions(k);
  auto count = [&](auto& self, const Region& r, int weight) -> void {
    for (const Operation& op : r.ops) {
      if (op.has(Reads) || op.has(Writes))
        for (int p : root_of(k, defs, op.in[0]).params) {
          if (op.has(Reads)) reads[p] += weight;
          if (op.has(Writes)) writes[p] += weight;
        }
      bool loop = op.is(Op::For) || op.is(Op::While);
      for (const Region& sub : op.regions) self(self, sub, loop ? 2 : weight);
    }
  };
  count(count, k.body, 1);
  for (std::size_t p = 0; p < k.params.size(); ++p)
    if (writes[p] > 1 || (writes[p] && reads[p])) return true;
  return false;
}

void mark_kept(Kernel& k) {
  walk(k.body, [](Operation& op) {
    if (op.is(Op::Barrier)) op.set(kept, 1);
  });
}

void unmark(Kernel& k) {
  walk(k.body, [](Operation& op) {
    if (op.is(Op::Barrier)) std::erase_if(op.attrs, [](const Attr& a) { return a.key == kept; });
  });
}

/// A barrier, and the `if` around it where that is what its region belongs to.
struct Site {
  Region* region;
  std::size_t index;
  Region* outer = nullptr;
  std::size_t branch = 0;
  Operation& op() const { return region->ops[index]; }
  bool operator==(const Site&) const = default;
};

/// The barriers of a region, outer and earlier ones first.
void barriers_under(Region& r, std::vector<Site>& out, Region* outer = nullptr,
                    std::size_t branch = 0) {
  for (std::size_t i = 0; i < r.ops.size(); ++i) {
    const Operation& op = r.ops[i];
    if (op.is(Op::Barrier) && !op.find(gone)) out.push_back({&r, i, outer, branch});
    for (Region& sub : r.ops[i].regions) {
      bool arm = op.is(Op::If);
      barriers_under(sub, out, arm ? &r : nullptr, arm ? i : 0);
    }
  }
}

std::vector<Site> barriers_of(Kernel& k) {
  std::vector<Site> all;
  barriers_under(k.body, all);
  return all;
}

void take(Operation& op) { op.set(gone, 1); }
void drop(Operation& op, Key key) {
  std::erase_if(op.attrs, [&](const Attr& a) { return a.key == key; });
}
void put_back(Operation& op) { drop(op, gone); }

std::string why_of(const Operation& barrier) {
  const Attr* why = barrier.find(Key::Why);
  return why ? why->text : "";
}

void insert(Region& r, std::size_t at, Operation op) {
  r.ops.insert(r.ops.begin() + static_cast<std::ptrdiff_t>(at), std::move(op));
}

/// Moves a barrier of the loop r.ops[at] in front of it; true if that covers every hazard, else the
/// code is as it was.
bool hoist_one(Region& r, std::size_t at, SyncWalk& walk) {
  for (std::size_t part = 0; part < r.ops[at].regions.size(); ++part)
    for (std::size_t i = 0; i < r.ops[at].regions[part].ops.size(); ++i) {
      Operation& op = r.ops[at].regions[part].ops[i];
      if (!op.is(Op::Barrier) || op.find(gone) || op.attr(kept)) continue;
      Operation barrier = op;
      take(op);
      insert(r, at, barrier);
      if (!walk.has_hazard()) return true;
      r.ops.erase(r.ops.begin() + static_cast<std::ptrdiff_t>(at));
      put_back(r.ops[at].regions[part].ops[i]);
    }
  return false;
}

/// Inner loops first, so that a barrier may leave several.
void hoist_barriers(Region& r, SyncWalk& walk) {
  for (std::size_t i = 0; i < r.ops.size(); ++i) {
    for (Region& sub : r.ops[i].regions) hoist_barriers(sub, walk);
    bool loop = r.ops[i].is(Op::For) || r.ops[i].is(Op::While);
    while (loop && hoist_one(r, i, walk)) ++i;
  }
}

/// Takes out every barrier without which the walk still finds no hazard.
void drop_needless(Kernel& k, SyncWalk& walk) {
  for (const Site& s : barriers_of(k)) {
    if (s.op().attr(kept)) continue;
    take(s.op());
    if (walk.has_hazard()) put_back(s.op());
  }
}

/// Lets the barrier leave as many groups in flight as covers every hazard; false if even waiting
/// for all leaves one.
bool settle_wait(Operation& barrier, SyncWalk& walk) {
  drop(barrier, Key::Pending);
  if (!walk.has_hazard()) return true;
  int pending = -1;
  for (; pending + 1 < most_groups; ++pending) {
    barrier.set(Key::Pending, pending + 1);
    if (walk.has_hazard()) break;
  }
  barrier.set(Key::Pending, std::max(pending, 0));
  return pending >= 0;
}

/// Does `stays` without `goes`, where it is or in front of the `if` around it? If not, the code is
/// as it was.
bool join_barriers(const Site& goes, const Site& stays, bool in_front, SyncWalk& walk) {
  const Operation before = stays.op();
  Operation both = before;
  std::string why = why_of(before), more = why_of(goes.op());
  if (why.find(more) == why.npos) both.set(Key::Why, why.empty() ? more : why + ", " + more);
  take(goes.op());
  if (!in_front) {
    stays.op() = both;
    if (settle_wait(stays.op(), walk)) return true;
    stays.op() = before;
    put_back(goes.op());
    return false;
  }
  take(stays.op());
  insert(*stays.outer, stays.branch, both);
  if (settle_wait(stays.outer->ops[stays.branch], walk)) return true;
  stays.outer->ops.erase(stays.outer->ops.begin() + static_cast<std::ptrdiff_t>(stays.branch));
  put_back(stays.op());
  put_back(goes.op());
  return false;
}

/// One barrier for two, as long as there are such.
bool join_one(Kernel& k, SyncWalk& walk) {
  std::vector<Site> all = barriers_of(k);
  for (const Site& goes : all)
    for (const Site& stays : all) {
      if (goes == stays || goes.op().attr(kept)) continue;
      bool waits = goes.op().find(Key::Pending);  // else drop_needless has tried it
      if (waits && join_barriers(goes, stays, false, walk)) return true;
      bool moves = stays.outer && !stays.op().attr(kept);
      if (moves && join_barriers(goes, stays, true, walk)) return true;
    }
  return false;
}

void erase_gone(Region& r) {
  std::erase_if(r.ops, [](const Operation& op) { return op.is(Op::Barrier) && op.find(gone); });
  for (Operation& op : r.ops)
    for (Region& sub : op.regions) erase_gone(sub);
}

}  // namespace

void place_syncs(Kernel& k) {
  if (k.slots.empty()) return;
  if (global_order_matters(k)) mark_kept(k);
  SyncWalk walk(k);
  walk.place();
  hoist_barriers(k.body, walk);
  drop_needless(k, walk);
  while (join_one(k, walk)) drop_needless(k, walk);  // one for two may leave a third nothing to do
  for (const Site& s : barriers_of(k))
    if (s.op().find(Key::Pending) && !s.op().attr(kept)) settle_wait(s.op(), walk);
  erase_gone(k.body);
  unmark(k);
}

int count_barriers(const Kernel& k) {
  int n = 0;
  walk(k.body, [&](const Operation& op) { n += op.is(Op::Barrier); });
  return n;
}

}  // namespace barline::ir
