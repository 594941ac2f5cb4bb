// SPDX-License-Identifier: Apache-2.0
// A forward walk keeps the set of slot accesses since the last barrier (`pending`). An access that
// conflicts with one of them gets a barrier right before it, which empties the set: on a straight
// line the latest place that still separates a hazard's two ends covers the most hazards, so the
// number is least. A loop is walked until its back edge brings nothing new; crossing the edge, a
// rotating slot's use counts shift by the uses of one trip, so that copy c of the last trip is
// known to be another one than copy c+1 of this. Under a condition that is not uniform over the
// block no barrier may stand: such an op is taken as one access set, with its barrier before it.
//
// Placing from loop entry on can leave a barrier that a later one makes needless: at the end each
// barrier is taken out in turn, and put back only if the walk then finds a hazard.
#include "ir/passes/place_syncs.h"

#include <fmt/format.h>
#include <algorithm>

#include "ir/diagnostic.h"
#include "ir/effects.h"

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
  explicit Placer(Kernel& k) : k_(k), uniformity_(uniformity(k)), effects_(k) {}

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
      check_divergent(op);
      merge(pending, accesses_under(op));
      return pending;
    }
    if (op.is(Op::If)) return step_if(op, std::move(pending));
    if (op.is(Op::For)) return step_for(op, std::move(pending));
    return step_while(op, std::move(pending));
  }

  Pending step_if(Operation& op, const Pending& pending) {
    Pending out = walk_region(op.regions[0], pending);
    merge(out, walk_region(op.regions[1], pending));
    for (SlotAccess& a : out) forget_inner(op, a);
    return out;
  }

  Pending step_for(Operation& op, const Pending& pending) {
    Region& body = op.regions[0];
    Pending entry;
    for (SlotAccess a : pending) entry.push_back(renamed(a, op.in, 3, body.args, 1));
    Pending end;
    do end = walk_region(body, entry);
    while (merge(entry, over_edge(op, body, end, body.args, 1)));
    Pending out = pending;  // no trip at all
    merge(out, over_edge(op, body, end, op.out, 0));
    return out;
  }

  Pending step_while(Operation& op, const Pending& pending) {
    Region& head = op.regions[0];
    Region& body = op.regions[1];
    Pending entry, exit;
    for (SlotAccess a : pending) entry.push_back(renamed(a, op.in, 0, head.args, 0));
    Pending end;
    do {
      exit = walk_region(head, entry);
      Pending inner;
      for (SlotAccess a : exit) inner.push_back(renamed(a, head.ops.back().in, 1, body.args, 0));
      end = walk_region(body, inner);
    } while (merge(entry, over_edge(op, body, end, head.args, 0)));
    Pending out;
    for (SlotAccess a : exit) {
      a = renamed(a, head.ops.back().in, 1, op.out, 0);
      forget_inner(op, a);
      out.push_back(a);
    }
    return out;
  }

  /// The accesses of a body's end as the next trip (or the code after the loop) sees them.
  Pending over_edge(const Operation& loop, const Region& body, const Pending& end,
                    const std::vector<ValueId>& to, std::size_t skip) {
    Pending out;
    for (SlotAccess a : end) {
      a = renamed(a, body.ops.back().in, 0, to, skip);
      forget_inner(loop, a);
      out.push_back(std::move(a));
    }
    return out;
  }

  /// Says the access' use count in terms of `to`, which takes the values of `from`: where from[i]
  /// is base + n and the access is at base + o, it is at to[i] + (o - n).
  SlotAccess renamed(SlotAccess a, const std::vector<ValueId>& from, std::size_t skip_from,
                     const std::vector<ValueId>& to, std::size_t skip_to) const {
    int copies = k_.slots[a.slot].copies;
    if (copies == 1 || !a.use.known) return a;
    for (std::size_t i = 0; i + skip_from < from.size() && i + skip_to < to.size(); ++i) {
      ValueId f = from[i + skip_from];
      if (k_.type(f) != scalar(Elem::S32)) continue;
      Use u = effects_.use_form(f);
      if (u.base != a.use.base || !drives_slots(to[i + skip_to])) continue;
      a.use = {to[i + skip_to], ((a.use.offset - u.offset) % copies + copies) % copies, true};
      return a;
    }
    return a;
  }

  /// Is the value the base of some slot's use count? (An unrelated counter must not take it over.)
  bool drives_slots(ValueId v) {
    if (drivers_.empty()) {
      walk(k_.body, [&](const Operation& op) {
        if (op.is(Op::SlotAt)) drivers_.push_back(effects_.use_form(op.in[1]).base);
      });
      // Values that a driver flows into through loops and branches count too.
      bool grew = true;
      while (grew) {
        grew = false;
        walk(k_.body, [&](const Operation& op) { grew = spread_drivers(op) || grew; });
      }
      drivers_.push_back(no_value);
    }
    return std::find(drivers_.begin(), drivers_.end(), v) != drivers_.end();
  }
  bool drives_slots(ValueId v) const { return const_cast<Placer*>(this)->drives_slots(v); }

  bool add_driver(ValueId v) {
    if (std::find(drivers_.begin(), drivers_.end(), v) != drivers_.end()) return false;
    drivers_.push_back(v);
    return true;
  }
  bool is_driver(ValueId v) const {
    return std::find(drivers_.begin(), drivers_.end(), v) != drivers_.end();
  }

  bool spread_drivers(const Operation& op) {
    if (!op.is(Op::For)) return false;
    bool grew = false;
    for (std::size_t i = 0; i < op.out.size(); ++i) {
      ValueId arg = op.regions[0].args[i + 1];
      if (is_driver(arg) || is_driver(op.out[i])) {
        grew = add_driver(arg) || grew;
        grew = add_driver(op.out[i]) || grew;
      }
    }
    return grew;
  }

  /// Symbols and use counts that are defined inside the op mean something else (or nothing)
  /// outside.
  void forget_inner(const Operation& op, SlotAccess& a) {
    auto inner = [&](ValueId v) { return v != no_value && defined_under(op, v); };
    if (a.use.known && inner(a.use.base)) {
      bool arg_of_entry = false;
      for (const Region& r : op.regions)
        arg_of_entry =
            arg_of_entry || std::find(r.args.begin(), r.args.end(), a.use.base) != r.args.end();
      if (!arg_of_entry || op.is(Op::If)) a.use.known = false;
    }
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
          forget_inner(op, *a);
          merge(all, {*a});
        }
      });
    return all;
  }

  /// Within divergent control flow only a warp_sync may separate two accesses.
  void check_divergent(const Operation& op) {
    Pending pending;
    for (const Region& r : op.regions)
      walk(r, [&](const Operation& inner) {
        if (inner.is(Op::WarpSync))
          for (SlotAccess& a : pending) a.warp_synced = true;
        auto a = effects_.access(inner);
        if (!a) return;
        if (conflicts(pending, *a))
          fail(Diag::DivergentConvergent, inner.loc,
               fmt::format("{} of slot '{}' needs a barrier before it ({}), under a condition that "
                           "differs between threads",
                           name(inner.op), k_.slots[a->slot].name, why_),
               "move the accesses out of the condition, or guard them one by one");
        merge(pending, {*a});
      });
  }

  Kernel& k_;
  Uniformity uniformity_;
  SlotEffects effects_;
  std::vector<ValueId> drivers_;
  std::string why_;
  bool placing_ = false;
  bool hazard_ = false;
};

/// The barriers of a region, outer and earlier ones first, as (region, index).
void barriers_under(Region& r, std::vector<std::pair<Region*, std::size_t>>& out) {
  for (std::size_t i = 0; i < r.ops.size(); ++i) {
    if (r.ops[i].is(Op::Barrier)) out.emplace_back(&r, i);
    for (Region& sub : r.ops[i].regions) barriers_under(sub, out);
  }
}

/// Takes out every barrier without which the walk still finds no hazard.
void drop_needless(Kernel& k) {
  for (std::size_t n = 0;; ++n) {
    std::vector<std::pair<Region*, std::size_t>> all;
    barriers_under(k.body, all);
    if (n >= all.size()) return;
    auto [region, index] = all[n];
    auto at = region->ops.begin() + static_cast<std::ptrdiff_t>(index);
    Operation taken = *at;
    region->ops.erase(at);
    if (Placer(k).has_hazard())
      region->ops.insert(region->ops.begin() + static_cast<std::ptrdiff_t>(index),
                         std::move(taken));
    else
      --n;
  }
}

}  // namespace

void place_syncs(Kernel& k) {
  if (k.slots.empty()) return;
  Placer(k).place();
  drop_needless(k);
}

int count_barriers(const Kernel& k) {
  int n = 0;
  walk(k.body, [&](const Operation& op) { n += op.is(Op::Barrier); });
  return n;
}

}  // namespace barline::ir
