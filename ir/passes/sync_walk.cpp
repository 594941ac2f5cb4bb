// SPDX-License-Identifier: Apache-2.0
// A forward walk keeps the set of slot accesses since the last barrier (`pending`). An access that
// conflicts with one of them gets a barrier right before it, which empties the set. A loop is
// walked until its back edge brings nothing new; crossing the edge, a rotating slot's use counts
// shift by the uses of one trip, so that copy c of the last trip is known to be another one than
// copy c+1 of this. Under a condition that is not uniform over the block no barrier may stand: such
// an op is taken as one access set, with its barrier before it.
//
// An asynchronous copy stays in the set over barriers, with the number of groups committed since:
// whoever touches what it writes needs a barrier that waits for its group.
#include "ir/passes/sync_walk_p.h"

#include <fmt/format.h>
#include <algorithm>

#include "ir/diagnostic.h"

namespace barline::ir {
namespace {

std::optional<int> wait_of(const Operation& barrier) {
  const Attr* a = barrier.find(Key::Pending);
  return a ? std::optional<int>(static_cast<int>(a->value)) : std::nullopt;
}

bool is_barrier(const Operation& op) { return op.is(Op::Barrier) && !op.find(SyncWalk::gone); }

}  // namespace

SyncWalk::SyncWalk(Kernel& k)
    : k_(k),
      uniformity_(uniformity(k)),
      effects_(k),
      counts_(k, effects_),
      conflicts_(k),
      order_(k.values.size(), -1) {
  number(k.body);
}

void SyncWalk::place() {
  placing_ = true;
  walk_region(k_.body, Pending(k_));
}

bool SyncWalk::has_hazard() {
  placing_ = hazard_ = false;
  walk_region(k_.body, Pending(k_));
  return hazard_;
}

void SyncWalk::number(const Region& r) {
  Span& span = within_[&r];
  span.begin = next_++;
  for (ValueId v : r.args) order_[v] = next_++;
  for (const Operation& op : r.ops) {
    for (ValueId v : op.out) order_[v] = next_++;
    for (const Region& inner : op.regions) number(inner);
  }
  within_[&r].end = next_;
}

Pending SyncWalk::walk_region(Region& r, Pending pending) {
  for (std::size_t i = 0; i < r.ops.size() && !done(); ++i) {
    if (Need need = need_of(r.ops[i], pending); need.barrier) {
      hazard_ = true;
      if (placing_ && cover(r, i, need, pending)) ++i;
    }
    pending = step(r.ops[i], std::move(pending));
  }
  return pending;
}

/// Covers the hazard of op i: the barrier right before it waits longer, or a new one stands there
/// (true).
bool SyncWalk::cover(Region& r, std::size_t i, const Need& need, Pending& pending) {
  if (need.uncommitted)
    fail(Diag::SlotMisuse, need.old->loc,
         fmt::format("copy_async to slot '{}' is in no group where {} touches what it writes",
                     k_.slots[need.old->slot].name, name(r.ops[i].op)),
         "commit_copies after the copies of each step");
  if (i > 0 && is_barrier(r.ops[i - 1])) {
    int before = wait_of(r.ops[i - 1]).value_or(most_groups);
    r.ops[i - 1].set(Key::Pending, std::min(before, *need.pending));
    pending.barrier(need.pending);
    return false;
  }
  Operation barrier{
      .op = Op::Barrier, .in = {}, .out = {}, .attrs = {}, .regions = {}, .loc = r.ops[i].loc};
  barrier.set(Key::Why, why_);
  if (need.pending) barrier.set(Key::Pending, *need.pending);
  pending.barrier(need.pending);
  r.ops.insert(r.ops.begin() + static_cast<std::ptrdiff_t>(i), std::move(barrier));
  return true;
}

bool SyncWalk::uniform(const Operation& op) const {
  switch (op.op) {
    case Op::If: return uniformity_[op.in[0]] >= Team::Cta;
    case Op::For:
      return std::min({uniformity_[op.in[0]], uniformity_[op.in[1]], uniformity_[op.in[2]]}) >=
             Team::Cta;
    case Op::While: return uniformity_[op.regions[0].ops.back().in[0]] >= Team::Cta;
    default: return true;
  }
}

/// What an access that the op makes at once (itself, or anywhere in a divergent region) needs.
Need SyncWalk::need_of(const Operation& op, const Pending& pending) {
  if (op.regions.empty() || uniform(op)) {
    auto a = op.regions.empty() ? effects_.access(op) : std::nullopt;
    if (!a) return {};
    Need need = pending.need(conflicts_, *a, !placing_);
    if (need.barrier && placing_) why_ = why(need, *a);
    return need;
  }
  Need all;
  accesses_under(op).each([&](const SlotAccess& a) {
    Need need = pending.need(conflicts_, a, !placing_);
    if (!need.barrier) return;
    if (!all.barrier) {
      all.old = need.old;
      why_ = why(need, a);
    }
    all.barrier = true;
    all.uncommitted = all.uncommitted || need.uncommitted;
    if (need.pending) all.pending = std::min(all.pending.value_or(most_groups), *need.pending);
  });
  return all;
}

std::string SyncWalk::why(const Need& need, const SlotAccess& next) const {
  const SlotAccess& old = *need.old;
  return fmt::format("{} {} before {}", k_.slots[next.slot].name,
                     old.async   ? "copied"
                     : old.write ? "written"
                                 : "read",
                     next.write ? "written" : "read");
}

Pending SyncWalk::step(Operation& op, Pending pending) {
  if (op.is(Op::CommitCopies)) pending.commit();
  if (op.is(Op::WarpSync)) pending.warp_sync();
  if (is_barrier(op)) pending.barrier(wait_of(op));
  if (op.regions.empty()) {
    if (auto a = effects_.access(op)) pending.add(*a);
    return pending;
  }
  if (!uniform(op)) {
    check_divergent(op, Pending(k_));
    pending.merge(accesses_under(op));
    return pending;
  }
  if (op.is(Op::If)) return step_if(op, std::move(pending));
  if (op.is(Op::For)) return step_for(op, std::move(pending));
  return step_while(op, std::move(pending));
}

Pending SyncWalk::step_if(Operation& op, const Pending& pending) {
  Pending out(k_);
  for (Region& r : op.regions) {
    Pending end = walk_region(r, pending);
    out.merge(leave(op, end, {r.ops.back().in, 0, op.out, 0}));
  }
  return out;
}

Pending SyncWalk::step_for(Operation& op, const Pending& pending) {
  Region& body = op.regions[0];
  Pending entry = enter(pending, counts_.into(op));
  Pending end(k_);
  do end = walk_region(body, entry);
  while (!done() && entry.merge(leave(op, end, counts_.back(op))));
  Pending out = leave(op, end, {body.ops.back().in, 0, op.out, 0});
  if (!runs(op)) out.merge(enter(pending, {op.in, 3, op.out, 0}));
  return out;
}

Pending SyncWalk::step_while(Operation& op, const Pending& pending) {
  Region &head = op.regions[0], &body = op.regions[1];
  Pending entry = enter(pending, {op.in, 0, head.args, 0});
  Pending exit(k_);
  bool grew = true;
  while (grew && !done()) {
    exit = walk_region(head, entry);
    Pending end = walk_region(body, enter(exit, {head.ops.back().in, 1, body.args, 0}));
    grew = entry.merge(leave(op, end, {body.ops.back().in, 0, head.args, 0}));
  }
  return leave(op, exit, {head.ops.back().in, 1, op.out, 0});
}

/// True if the loop is known to run at least once.
bool SyncWalk::runs(const Operation& loop) const {
  Use lo = effects_.use_form(loop.in[0]), hi = effects_.use_form(loop.in[1]);
  bool constant = lo.known && hi.known && lo.base == no_value && hi.base == no_value;
  return constant && lo.offset < hi.offset;
}

/// The accesses as a region that is entered sees them; values around it mean what they meant.
Pending SyncWalk::enter(Pending pending, const Edge& edge) const {
  pending.each([&](SlotAccess& a) { counts_.rename(a, edge); });
  return pending;
}

/// The accesses of a region's end as the next trip or the code after the op sees them.
Pending SyncWalk::leave(const Operation& op, const Pending& end, const Edge& edge) const {
  Pending out(k_);
  end.each([&](SlotAccess a) {
    bool renamed = counts_.rename(a, edge);
    forget_inner(op, a, !renamed);
    out.add(a);
  });
  return out;
}

/// What is defined inside the op means something else (or nothing) in the next trip and outside:
/// symbols of an index, and the base of a use count unless the edge has renamed it.
void SyncWalk::forget_inner(const Operation& op, SlotAccess& a, bool base) const {
  auto inner = [&](ValueId v) { return v != no_value && defined_under(op, v); };
  if (base && a.use.known && inner(a.use.base)) a.use = {no_value, 0, false};
  if (!a.index) return;
  for (const auto& [v, factor] : a.index->symbols)
    if (inner(v)) {
      a.index = nullptr;
      a.offset = 0;
      return;
    }
}

bool SyncWalk::defined_under(const Operation& op, ValueId v) const {
  return std::any_of(op.regions.begin(), op.regions.end(), [&](const Region& r) {
    const Span& span = within_.at(&r);
    return order_[v] >= span.begin && order_[v] < span.end;
  });
}

Pending SyncWalk::accesses_under(const Operation& op) const {
  Pending all(k_);
  for (const Region& r : op.regions)
    walk(r, [&](const Operation& inner) {
      if (auto a = effects_.access(inner)) {
        forget_inner(op, *a, true);
        all.add(*a);
      }
    });
  return all;
}

/// Within divergent control flow only a warp_sync may separate two accesses. Arms that different
/// threads take run side by side, so the second is held against the first.
Pending SyncWalk::check_divergent(const Operation& op, const Pending& before) {
  if (op.is(Op::If)) {
    Pending first = check_region(op.regions[0], before);
    first.merge(check_region(op.regions[1], uniform(op) ? before : first));
    return first;
  }
  Pending entry = before, end(k_);
  do {
    end = entry;
    for (const Region& r : op.regions) end = check_region(r, end);
    end.each([&](SlotAccess& a) { forget_inner(op, a, true); });
  } while (entry.merge(end));
  return entry;
}

Pending SyncWalk::check_region(const Region& r, Pending pending) {
  for (const Operation& op : r.ops) {
    if (op.is(Op::WarpSync)) pending.warp_sync();
    if (op.has(Control)) pending.merge(check_divergent(op, pending));
    auto a = effects_.access(op);
    if (!a) continue;
    if (Need need = pending.need(conflicts_, *a, true); need.barrier)
      fail(Diag::DivergentConvergent, op.loc,
           fmt::format("{} of slot '{}' needs a barrier before it ({}), under a condition that "
                       "differs between threads",
                       name(op.op), k_.slots[a->slot].name, why(need, *a)),
           "move the accesses out of the condition, or guard them one by one");
    pending.add(*a);
  }
  return pending;
}

}  // namespace barline::ir
