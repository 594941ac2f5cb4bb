// SPDX-License-Identifier: Apache-2.0
// Uses of a ring are numbered in program order: with U uses a trip, use u of trip i is i*U + u, and
// takes copy (i*U + u) mod slots. Where the fill of use n stands follows from how far it runs
// ahead:
//
//   ahead 0              right before the reads of use n                           Design S
//   0 < ahead < slots    by asynchronous copies: right before the reads of use     rings
//                        n - ahead; the copy that it takes was last read by an
//                        earlier use still
//                        by lanes: after the products of use n - ahead, so that    S + 1/2P
//                        its loads are under way while they run and only its
//                        stores wait for them
//   ahead = slots        after the reads of use n - ahead, whose copy it takes:
//                        at the last of these places in the trip
//
// A fill past the last trip lies outside its tensor, or is read by nobody: it needs no guard, and
// stays in one block with the products that hide it. Asynchronous copies of a ring with `guard`
// stand under a uniform `if` all the same, so that their addresses take no registers from the
// products. What a trip copies is one group, closed whether or not a guard held, so that counting
// groups counts trips. The fills of the trips before the first are what the same rule gives for
// trips -1, -2, ..
//
// A box that no trip changes is filled once, before the loop, and read from its slot at each use;
// with `hoist` its registers are loaded there, too.
#include "ir/passes/lower_rings.h"

#include <fmt/format.h>
#include <algorithm>
#include <map>
#include <set>

#include "ir/diagnostic.h"
#include "ir/passes/rings_p.h"
#include "ir/rewrite.h"
#include "ir/target.h"

namespace barline::ir {
namespace {

/// The ring that stages the load through a slot; those in registers are expand_fragments' to load.
const Ring* slot_ring_of(const Kernel& k, const Operation& op) {
  const Ring* ring = ring_of(k, op);
  return ring && ring->store == Store::Smem ? ring : nullptr;
}

/// Ops of a loop's body, by position.
constexpr std::size_t nowhere = ~std::size_t{0};

/// One use of a ring in a trip: a box, and the loads that read it.
struct RingUse {
  Operation load;  ///< the first of them, as it was
  std::size_t first = nowhere, last = nowhere;
};

struct LoopRing {
  const Ring* ring = nullptr;
  StagedBox box;
  int slot = -1;
  std::vector<RingUse> uses;
};

/// A staged load outside of loops: its slot is filled by `b`; the load from there goes to `use`.
void stage_once(Kernel& k, const RingFacts& facts, Builder& b, const Operation& load,
                const Ring& ring, Builder& use) {
  Ring once = ring;
  once.slots = 1;
  StagedBox box = staged_box(k, facts, load);
  int slot = add_slot(k, once, box, load.loc);
  ValueId to = k.slots[slot].value;
  emit_fill(b, once, box, to, no_value, load);
  if (ring.by == Agent::CpAsync) b.emit(Op::CommitCopies, {});
  use.append(load_from(use, load, to, box));
}

class LoopLowerer {
 public:
  LoopLowerer(Kernel& k, const RingFacts& facts, Operation& loop)
      : k_(k), facts_(facts), loop_(loop), body_(loop.regions[0]) {}

  /// Rewrites the loop; `b` takes what goes before it.
  void run(Builder& b) {
    stage_fixed(b);
    collect();
    if (rings_.empty()) return;
    check_counting();
    if (asynchronous()) place_commits();
    for (LoopRing& r : rings_) r.slot = add_slot(k_, *r.ring, r.box, r.uses[0].load.loc);
    prologue(b);
    rewrite_body();
  }

 private:
  /// Is the value the same in every trip, and computed by pure ops?
  bool fixed(ValueId v) const {
    if (std::find(body_.args.begin(), body_.args.end(), v) != body_.args.end()) return false;
    for (const Operation& op : body_.ops)
      if (std::find(op.out.begin(), op.out.end(), v) != op.out.end())
        return op.has(Pure) && op.regions.empty() &&
               std::all_of(op.in.begin(), op.in.end(), [&](ValueId in) { return fixed(in); });
    return true;
  }

  void stage_fixed(Builder& b) {
    Region out;
    out.args = body_.args;
    Builder inside(k_, out);
    ValueMap map;
    for (const Operation& op : body_.ops) {
      inside.at(op.loc);
      const Ring* ring = slot_ring_of(k_, op);
      if (!ring || !std::all_of(op.in.begin(), op.in.end(), [&](ValueId v) { return fixed(v); })) {
        inside.append(op);
        continue;
      }
      b.at(op.loc);
      Operation before = op;
      for (ValueId& v : before.in) v = clone_slice(b, body_, v, map);
      stage_once(k_, facts_, b, before, *ring, ring->hoist ? b : inside);
    }
    body_ = std::move(out);
  }

  void collect() {
    for (std::size_t i = 0; i < body_.ops.size(); ++i) {
      const Operation& op = body_.ops[i];
      const Ring* ring = slot_ring_of(k_, op);
      if (!ring) continue;
      last_read_ = i;
      LoopRing& r = ring_named(*ring, op);
      // Reads of one box in a row are one use; with another box between them, the copy may be gone.
      if (r.uses.empty() || r.uses.back().load.in != op.in)
        r.uses.push_back({op, i, i});
      else
        r.uses.back().last = i;
      use_at_[i] = {&r - rings_.data(), r.uses.size() - 1};
    }
  }

  LoopRing& ring_named(const Ring& ring, const Operation& load) {
    StagedBox box = staged_box(k_, facts_, load);
    for (LoopRing& r : rings_)
      if (r.ring == &ring) {
        check_same_box(r.box, box, ring, load);
        return r;
      }
    rings_.push_back({.ring = &ring, .box = box, .slot = -1, .uses = {}});
    return rings_.back();
  }

  /// Trips are numbered by the loop's index.
  void check_counting() const {
    auto is = [&](ValueId v, std::int64_t n) {
      auto it = facts_.constants.find(v);
      return it != facts_.constants.end() && it->second == n;
    };
    bool s32 = k_.type(body_.args[0]) == scalar(Elem::S32);
    if (s32 && is(loop_.in[0], 0) && is(loop_.in[2], 1)) return;
    fail(Diag::BadStructure, loop_.loc, "staged loads in a loop that does not count 0, 1, 2, ..",
         "start the loop at 0 with a step of 1, both s32, and compute positions from its index");
  }

  int uses(const LoopRing& r) const { return static_cast<int>(r.uses.size()); }

  /// The op before which the fill that runs ahead of use u stands.
  std::size_t point(const LoopRing& r, std::size_t u) const {
    const Ring& ring = *r.ring;
    const RingUse& use = r.uses[u];
    bool lanes = ring.by == Agent::Lane;
    if (ring.ahead == 0 || (!lanes && ring.ahead < ring.slots)) return use.first;
    if (ring.ahead < ring.slots) return after(use.last);
    std::size_t last = !lanes && last_read_ > use.last ? last_read_ : end();
    return std::min(last, filled_by(r, u));
  }
  /// The first read in this trip of the use that is filled ahead of use u; the end, if its trip is
  /// a later one.
  std::size_t filled_by(const LoopRing& r, std::size_t u) const {
    std::size_t target = u + static_cast<std::size_t>(r.ring->ahead);
    return target < r.uses.size() ? r.uses[target].first : end();
  }
  /// The next staged load behind `at`, or the end: what uses the loads before it stands before it.
  std::size_t after(std::size_t at) const {
    auto next = use_at_.upper_bound(at);
    return next == use_at_.end() ? end() : next->first;
  }
  std::size_t end() const { return body_.ops.size() - 1; }

  struct PlannedFill {
    const LoopRing* ring;
    int use;   ///< of the trip it is for
    int trip;  ///< trips after the one that issues it
  };

  std::vector<PlannedFill> fills_at(std::size_t at) const {
    std::vector<PlannedFill> fills;
    for (const LoopRing& r : rings_)
      for (int u = 0; u < uses(r); ++u)
        if (point(r, static_cast<std::size_t>(u)) == at) {
          int n = u + r.ring->ahead;
          fills.push_back({&r, n % uses(r), n / uses(r)});
        }
    return fills;
  }

  bool asynchronous() const {
    return std::any_of(rings_.begin(), rings_.end(),
                       [](const LoopRing& r) { return r.ring->by == Agent::CpAsync; });
  }

  /// Where a trip closes groups of asynchronous copies: behind its last fill, and before that
  /// where a read waits for a fill of the same trip.
  void place_commits() {
    std::size_t last = 0;
    for (const LoopRing& r : rings_)
      for (std::size_t u = 0; u < r.uses.size(); ++u) last = std::max(last, point(r, u));
    commits_ = {last};
    for (const LoopRing& r : rings_) {
      if (r.ring->by != Agent::CpAsync) continue;
      for (std::size_t u = 0; u < r.uses.size(); ++u) {
        std::size_t read = filled_by(r, u);
        auto next = commits_.lower_bound(point(r, u));
        if (next == commits_.end() || *next > read) commits_.insert(read);
      }
    }
  }

  /// Fills of trip `trip`, which the body's own index counts (no_value: a constant).
  void fill(Builder& b, const PlannedFill& f, ValueId trip) {
    ValueMap map{{body_.args[0], trip}};
    const Operation& load = f.ring->uses[f.use].load;
    Operation at = load;
    for (ValueId& v : at.in) v = clone_slice(b, body_, v, map);
    ValueId use = scaled(b, trip, uses(*f.ring), f.use);
    emit_fill(b, *f.ring->ring, f.ring->box, k_.slots[f.ring->slot].value, use, at);
  }

  ValueId scaled(Builder& b, ValueId trip, int factor, int plus) {
    ValueId v = factor == 1 ? trip : b.binary(Op::Mul, trip, b.constant(Elem::S32, factor));
    return plus == 0 ? v : b.binary(Op::Add, v, b.constant(Elem::S32, plus));
  }

  /// What trips -far .. -1 would have filled.
  void prologue(Builder& b) {
    b.at(loop_.loc);
    int far = 0;
    for (const LoopRing& r : rings_) far = std::max(far, (r.ring->ahead + uses(r) - 1) / uses(r));
    for (int trip = -far; trip < 0; ++trip) {
      for (std::size_t at = 0; at < body_.ops.size(); ++at) {
        for (const PlannedFill& f : fills_at(at)) {
          int target = trip + f.trip;
          if (target >= 0) fill(b, f, b.constant(Elem::S32, target));
        }
        if (commits_.contains(at)) b.emit(Op::CommitCopies, {});
      }
    }
  }

  void rewrite_body() {
    Region out;
    out.args = body_.args;
    Builder b(k_, out);
    for (std::size_t i = 0; i < body_.ops.size(); ++i) {
      Operation& op = body_.ops[i];
      b.at(op.loc);
      fills_in_trip(b, fills_at(i));
      if (commits_.contains(i)) b.emit(Op::CommitCopies, {});
      if (auto it = use_at_.find(i); it != use_at_.end())
        staged_load(b, op, rings_[it->second.first], static_cast<int>(it->second.second));
      else
        b.append(op);
    }
    body_ = std::move(out);
  }

  /// The fills of one point; those of one later trip that ask for a guard share it.
  void fills_in_trip(Builder& b, const std::vector<PlannedFill>& fills) {
    std::map<int, std::vector<PlannedFill>> async;
    for (const PlannedFill& f : fills) {
      if (f.trip > 0 && f.ring->ring->by == Agent::CpAsync && f.ring->ring->guard)
        async[f.trip].push_back(f);
      else
        fill(b, f, later(b, f.trip));
    }
    for (const auto& [ahead, group] : async) {
      ValueId trip = later(b, ahead);
      append_if(b, b.compare(Compare::Lt, trip, loop_.in[1]), [&] {
        for (const PlannedFill& f : group) fill(b, f, trip);
      });
    }
  }

  ValueId later(Builder& b, int trips) {
    ValueId trip = body_.args[0];
    return trips == 0 ? trip : b.binary(Op::Add, trip, b.constant(Elem::S32, trips));
  }

  void staged_load(Builder& b, const Operation& op, const LoopRing& r, int use) {
    ValueId n = scaled(b, body_.args[0], uses(r), use);
    ValueId copy = b.emit(Op::SlotAt, {k_.slots[r.slot].value, n});
    b.append(load_from(b, op, copy, r.box));
  }

  Kernel& k_;
  const RingFacts& facts_;
  Operation& loop_;
  Region& body_;
  std::vector<LoopRing> rings_;
  std::map<std::size_t, std::pair<std::ptrdiff_t, std::size_t>> use_at_;  ///< op -> ring, use
  std::size_t last_read_ = 0;
  std::set<std::size_t> commits_;  ///< ops before which a group of copies is closed
};

void lower(Kernel& k, const RingFacts& facts, Region& r) {
  Region out;
  out.args = r.args;
  Builder b(k, out);
  for (Operation& op : r.ops) {
    b.at(op.loc);
    if (op.is(Op::For)) LoopLowerer(k, facts, op).run(b);
    for (Region& sub : op.regions) lower(k, facts, sub);
    if (const Ring* ring = slot_ring_of(k, op))
      stage_once(k, facts, b, op, *ring, b);
    else
      b.append(std::move(op));
  }
  r = std::move(out);
}

/// That some target has shared memory for the slots.
void check_room(const Kernel& k) {
  auto room = [](const Target& t) { return static_cast<std::int64_t>(t.smem_per_block); };
  std::int64_t most = 0, needed = shared_bytes(k);
  for (const Target& t : targets()) most = std::max(most, room(t));
  if (needed <= most) return;
  fail(Diag::BadSchedule, k.slots.back().loc,
       fmt::format("slots of {} bytes; no target gives a block more than {}", needed, most),
       "take fewer slots, a smaller tile, or shorter steps");
}

}  // namespace

void lower_rings(Kernel& k) {
  if (k.rings.empty()) return;
  lower(k, RingFacts(k), k.body);
  std::erase_if(k.rings, [](const Ring& r) { return r.store == Store::Smem; });
  check_room(k);
}

}  // namespace barline::ir
