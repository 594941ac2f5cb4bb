// SPDX-License-Identifier: Apache-2.0
// A forward walk keeps the set of slot accesses since the last barrier (`pending`). An access that
// conflicts with one of them gets a barrier right before it, which empties the set: on a straight
// line the latest place that still separates a hazard's two ends covers the most hazards, so the
// number is least. A loop is walked until its back edge brings nothing new; crossing the edge, a
// rotating slot's use counts shift by the uses of one trip, so that copy c of the last trip is
// known to be another one than copy c+1 of this. Under a condition that is not uniform over the
// block no barrier may stand: such an op is taken as one access set, with its barrier before it.
//
// The latest place may be inside a loop whose every trip would then wait for what was written once
// before it: a barrier moves out in front of its loop where that leaves no hazard. And placing from
// loop entry on can leave a barrier that a later one makes needless: at the end each barrier is
// taken out in turn, and put back only if the walk then finds a hazard. A barrier that was there
// before stays if it may order accesses to global memory, which this pass does not see.
#include "ir/passes/place_syncs.h"

#include <fmt/format.h>
#include <algorithm>

#include "ir/diagnostic.h"
#include "ir/effects.h"
#include "ir/passes/use_counts_p.h"

namespace barline::ir {
namespace {

using Pending = std::vector<SlotAccess>;

bool same(const SlotAccess& a, const SlotAccess& b) {
  bool index = a.index.has_value() == b.index.has_value() &&
               (!a.index || (a.index->at == b.index->at && a.index->symbols == b.index->symbols));
  return index && a.slot == b.slot && a.use == b.use && a.write == b.write &&
         a.atomic == b.atomic && a.lanes == b.lanes && a.warp_synced == b.warp_synced;
}

/// Adds what is new; true if something was.
bool merge(Pending& into, const Pending& from) {
  bool grew = false;
  for (const SlotAccess& a : from) {
    if (std::any_of(into.begin(), into.end(), [&](const SlotAccess& b) { return same(a, b); }))
      continue;
    into.push_back(a);
    grew = true;
  }
  return grew;
}

class Placer {
 public:
  explicit Placer(Kernel& k)
      : k_(k), uniformity_(uniformity(k)), effects_(k), counts_(k, effects_) {}

  void place() {
    placing_ = true;
    walk_region(k_.body, {});
  }

  /// True if some hazard is not covered.
  bool has_hazard() {
    placing_ = hazard_ = false;
    walk_region(k_.body, {});
    return hazard_;
  }

 private:
  Pending walk_region(Region& r, Pending pending) {
    for (std::size_t i = 0; i < r.ops.size(); ++i) {
      if (needs_barrier(r.ops[i], pending)) {
        hazard_ = true;
        pending.clear();
        if (placing_) {
          Operation barrier{.op = Op::Barrier,
                            .in = {},
                            .out = {},
                            .attrs = {},
                            .regions = {},
                            .loc = r.ops[i].loc};
          barrier.set(Key::Why, why_);
          r.ops.insert(r.ops.begin() + static_cast<std::ptrdiff_t>(i), std::move(barrier));
          ++i;
        }
      }
      pending = step(r.ops[i], std::move(pending));
    }
    return pending;
  }

  bool uniform(const Operation& op) const {
    switch (op.op) {
      case Op::If: return uniformity_[op.in[0]] >= Team::Cta;
      case Op::For:
        return std::min({uniformity_[op.in[0]], uniformity_[op.in[1]], uniformity_[op.in[2]]}) >=
               Team::Cta;
      case Op::While: return uniformity_[op.regions[0].ops.back().in[0]] >= Team::Cta;
      default: return true;
    }
  }

  /// Does an access that the op makes at once (itself, or anywhere in a divergent region) conflict?
  bool needs_barrier(const Operation& op, const Pending& pending) {
    if (op.regions.empty() || uniform(op)) {
      auto a = op.regions.empty() ? effects_.access(op) : std::nullopt;
      return a && conflicts(pending, *a);
    }
    for (const SlotAccess& a : accesses_under(op))
      if (conflicts(pending, a)) return true;
    return false;
  }

  bool conflicts(const Pending& pending, const SlotAccess& a) {
    for (const SlotAccess& p : pending)
      if (may_conflict(k_, p, a)) {
        const std::string& slot = k_.slots[a.slot].name;
        why_ = fmt::format("{} {} before {}", slot, p.write ? "written" : "read",
                           a.write ? "written" : "read");
        return true;
      }
    return false;
  }

  Pending step(Operation& op, Pending pending) {
    if (op.is(Op::Barrier)) return {};
    if (op.is(Op::WarpSync)) {
      for (SlotAccess& a : pending) a.warp_synced = true;
      return pending;
    }
    if (op.regions.empty()) {
      if (auto a = effects_.access(op)) merge(pending, {*a});
      return pending;
    }
    if (!uniform(op)) {
      check_divergent(op, {});
      merge(pending, accesses_under(op));
      return pending;
    }
    if (op.is(Op::If)) return step_if(op, std::move(pending));
    if (op.is(Op::For)) return step_for(op, std::move(pending));
    return step_while(op, std::move(pending));
  }

  Pending step_if(Operation& op, const Pending& pending) {
    Pending out;
    for (Region& r : op.regions) {
      Pending end = walk_region(r, pending);
      merge(out, leave(op, end, {r.ops.back().in, 0, op.out, 0}));
    }
    return out;
  }

  Pending step_for(Operation& op, const Pending& pending) {
    Region& body = op.regions[0];
    Pending entry = enter(pending, counts_.into(op));
    Pending end;
    do end = walk_region(body, entry);
    while (merge(entry, leave(op, end, counts_.back(op))));
    Pending out = leave(op, end, {body.ops.back().in, 0, op.out, 0});
    if (!runs(op)) merge(out, enter(pending, {op.in, 3, op.out, 0}));
    return out;
  }

  Pending step_while(Operation& op, const Pending& pending) {
    Region &head = op.regions[0], &body = op.regions[1];
    Pending entry = enter(pending, {op.in, 0, head.args, 0});
    Pending exit;
    bool grew = true;
    while (grew) {
      exit = walk_region(head, entry);
      Pending end = walk_region(body, enter(exit, {head.ops.back().in, 1, body.args, 0}));
      grew = merge(entry, leave(op, end, {body.ops.back().in, 0, head.args, 0}));
    }
    return leave(op, exit, {head.ops.back().in, 1, op.out, 0});
  }

  /// True if the loop is known to run at least once.
  bool runs(const Operation& loop) const {
    Use lo = effects_.use_form(loop.in[0]), hi = effects_.use_form(loop.in[1]);
    bool constant = lo.known && hi.known && lo.base == no_value && hi.base == no_value;
    return constant && lo.offset < hi.offset;
  }

  /// The accesses as a region that is entered sees them; values around it mean what they meant.
  Pending enter(Pending pending, const Edge& edge) const {
    for (SlotAccess& a : pending) counts_.rename(a, edge);
    return pending;
  }

  /// The accesses of a region's end as the next trip or the code after the op sees them.
  Pending leave(const Operation& op, const Pending& end, const Edge& edge) const {
    Pending out;
    for (SlotAccess a : end) {
      bool renamed = counts_.rename(a, edge);
      forget_inner(op, a, !renamed);
      merge(out, {std::move(a)});
    }
    return out;
  }

  /// What is defined inside the op means something else (or nothing) in the next trip and outside:
  /// symbols of an index, and the base of a use count unless the edge has renamed it.
  static void forget_inner(const Operation& op, SlotAccess& a, bool base) {
    auto inner = [&](ValueId v) { return v != no_value && defined_under(op, v); };
    if (base && a.use.known && inner(a.use.base)) a.use.known = false;
    if (!a.index) return;
    for (const auto& [v, factor] : a.index->symbols)
      if (inner(v)) {
        a.index.reset();
        return;
      }
  }

  static bool defined_under(const Operation& op, ValueId v) {
    for (const Region& r : op.regions) {
      if (std::find(r.args.begin(), r.args.end(), v) != r.args.end()) return true;
      for (const Operation& inner : r.ops)
        if (std::find(inner.out.begin(), inner.out.end(), v) != inner.out.end() ||
            defined_under(inner, v))
          return true;
    }
    return false;
  }

  Pending accesses_under(const Operation& op) {
    Pending all;
    for (const Region& r : op.regions)
      walk(r, [&](const Operation& inner) {
        if (auto a = effects_.access(inner)) {
          forget_inner(op, *a, true);
          merge(all, {*a});
        }
      });
    return all;
  }

  /// Within divergent control flow only a warp_sync may separate two accesses. Arms that different
  /// threads take run side by side, so the second is held against the first.
  Pending check_divergent(const Operation& op, const Pending& before) {
    if (op.is(Op::If)) {
      Pending first = check_region(op.regions[0], before);
      merge(first, check_region(op.regions[1], uniform(op) ? before : first));
      return first;
    }
    Pending entry = before, end;
    do {
      end = entry;
      for (const Region& r : op.regions) end = check_region(r, end);
      for (SlotAccess& a : end) forget_inner(op, a, true);
    } while (merge(entry, end));
    return entry;
  }

  Pending check_region(const Region& r, Pending pending) {
    for (const Operation& op : r.ops) {
      if (op.is(Op::WarpSync))
        for (SlotAccess& a : pending) a.warp_synced = true;
      if (op.has(Control)) merge(pending, check_divergent(op, pending));
      auto a = effects_.access(op);
      if (!a) continue;
      if (conflicts(pending, *a))
        fail(Diag::DivergentConvergent, op.loc,
             fmt::format("{} of slot '{}' needs a barrier before it ({}), under a condition that "
                         "differs between threads",
                         name(op.op), k_.slots[a->slot].name, why_),
             "move the accesses out of the condition, or guard them one by one");
      merge(pending, {*a});
    }
    return pending;
  }

  Kernel& k_;
  Uniformity uniformity_;
  SlotEffects effects_;
  UseCounts counts_;
  std::string why_;
  bool placing_ = false;
  bool hazard_ = false;
};

/// Marks the barriers that were there, for as long as the pass runs.
constexpr Key kept = Key::Dim;

/// May barriers order accesses to global memory? Not where every tensor is only read, or written by
/// a single op that runs once.
bool global_order_matters(const Kernel& k) {
  std::vector<int> reads(k.params.size()), writes(k.params.size());
  auto count = [&](auto& self, const Region& r, int weight) -> void {
    for (const Operation& op : r.ops) {
      int p = op.has(Reads) || op.has(Writes) ? k.param_of(op.in[0]) : -1;
      if (p >= 0 && op.has(Reads)) reads[p] += weight;
      if (p >= 0 && op.has(Writes)) writes[p] += weight;
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

/// The barriers of a region, outer and earlier ones first, as (region, index).
void barriers_under(Region& r, std::vector<std::pair<Region*, std::size_t>>& out) {
  for (std::size_t i = 0; i < r.ops.size(); ++i) {
    if (r.ops[i].is(Op::Barrier)) out.emplace_back(&r, i);
    for (Region& sub : r.ops[i].regions) barriers_under(sub, out);
  }
}

/// Moves a barrier of the loop r.ops[at] in front of it; true if that covers every hazard, else the
/// code is as it was.
bool hoist_one(Region& r, std::size_t at, Placer& placer) {
  for (std::size_t part = 0; part < r.ops[at].regions.size(); ++part)
    for (std::size_t i = 0; i < r.ops[at].regions[part].ops.size(); ++i) {
      std::vector<Operation>& inner = r.ops[at].regions[part].ops;
      if (!inner[i].is(Op::Barrier) || inner[i].attr(kept)) continue;
      auto inside = inner.begin() + static_cast<std::ptrdiff_t>(i);
      auto before = r.ops.begin() + static_cast<std::ptrdiff_t>(at);
      Operation barrier = std::move(*inside);
      inner.erase(inside);
      r.ops.insert(before, barrier);
      if (!placer.has_hazard()) return true;
      r.ops.erase(r.ops.begin() + static_cast<std::ptrdiff_t>(at));
      std::vector<Operation>& again = r.ops[at].regions[part].ops;
      again.insert(again.begin() + static_cast<std::ptrdiff_t>(i), std::move(barrier));
    }
  return false;
}

/// Inner loops first, so that a barrier may leave several.
void hoist_barriers(Region& r, Placer& placer) {
  for (std::size_t i = 0; i < r.ops.size(); ++i) {
    for (Region& sub : r.ops[i].regions) hoist_barriers(sub, placer);
    bool loop = r.ops[i].is(Op::For) || r.ops[i].is(Op::While);
    while (loop && hoist_one(r, i, placer)) ++i;
  }
}

/// Takes out every barrier without which the walk still finds no hazard.
void drop_needless(Kernel& k, Placer& placer) {
  for (std::size_t n = 0;; ++n) {
    std::vector<std::pair<Region*, std::size_t>> all;
    barriers_under(k.body, all);
    if (n >= all.size()) return;
    auto [region, index] = all[n];
    auto at = region->ops.begin() + static_cast<std::ptrdiff_t>(index);
    if (at->attr(kept)) continue;
    Operation taken = *at;
    region->ops.erase(at);
    if (placer.has_hazard())
      region->ops.insert(region->ops.begin() + static_cast<std::ptrdiff_t>(index),
                         std::move(taken));
    else
      --n;
  }
}

}  // namespace

void place_syncs(Kernel& k) {
  if (k.slots.empty()) return;
  if (global_order_matters(k)) mark_kept(k);
  Placer placer(k);  // what it knows of values holds while barriers come and go
  placer.place();
  hoist_barriers(k.body, placer);
  drop_needless(k, placer);
  unmark(k);
}

int count_barriers(const Kernel& k) {
  int n = 0;
  walk(k.body, [&](const Operation& op) { n += op.is(Op::Barrier); });
  return n;
}

}  // namespace barline::ir
