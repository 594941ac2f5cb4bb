// SPDX-License-Identifier: Apache-2.0
// Control flow of a warp. Arms of a condition that lanes disagree on run one after the other, which
// is one of the orders that the hardware may take; since what synchronises never depends on the
// order, it decides for all.
#include "verify/proof/async/tracer.h"

#include <fmt/format.h>

#include <bit>
#include <utility>

#include "verify/proof/machine.h"

namespace barline::verify::proof::async {

using ir::Op;
using ir::Operation;
using ir::ValueId;

Tracer::Tracer(TraceState& state, const Ids& ids, int block, int warp)
    : state_(state),
      plan_(state.plan),
      k_(*state.plan.kernel),
      ids_(ids),
      block_(block),
      warp_(warp),
      flight_(k_.values.size(), -1) {
  ids_.threads = ir::warp_size;
  ids_.first = warp * ir::warp_size;
  state_.values.resize(k_.values.size());
  for (std::size_t i = 0; i < k_.axis_sizes.size(); ++i)
    if (k_.axis_sizes[i] != ir::no_value)
      state_.values[k_.axis_sizes[i]].set_uniform(state.sizes.axes[i]);
  for (std::size_t i = 0; i < k_.params.size(); ++i) {
    const ir::Param& p = k_.params[i];
    if (!p.type.is_scalar()) continue;
    if (ir::is_int(p.type.elem))
      state_.values[p.value].set_uniform(wrap(p.type.elem, state.sizes.scalars[i]));
    else
      state_.values[p.value].set_unknown(ir::Team::Cta, mix(0x1234567, i));
  }
}

Trace Tracer::run() {
  exec(plan_.body, all_lanes);
  ended();
  return std::move(trace_);
}

void Tracer::exec(const Steps& steps, Lanes lanes) {
  for (const Step& s : steps) one(s, lanes);
}

void Tracer::one(const Step& s, Lanes lanes) {
  state_.steps_left -= std::popcount(lanes);
  if (state_.steps_left < 0) throw Exhausted{};
  state_.recorder.reach(s.index);
  switch (s.op->op) {
    case Op::If: return exec_if(s, lanes);
    case Op::For: return exec_for(s, lanes);
    case Op::While: return exec_while(s, lanes);
    default: break;
  }
  if (s.param >= 0 || s.slot >= 0) return access(s, lanes);
  if (s.facts.async || s.facts.barrier || s.facts.commit || s.op->is(Op::WarpSync))
    return sync(s, lanes);
  if (s.op->has(ir::Convergent)) whole_warp(s, lanes);
  pure(s, lanes);
}

void Tracer::pure(const Step& s, Lanes lanes) {
  if (s.op->out.size() != 1 || !wants(s.op->out[0])) return;
  std::array<std::uint8_t, ir::warp_size> active;
  for (int l = 0; l < ir::warp_size; ++l) active[l] = lanes >> l & 1;
  bool zero = false;
  evaluate(k_, *s.op, state_.values, ids_, active, zero);
  if (zero)
    finding(Property::Arithmetic, possible_ ? Verdict::Unknown : Verdict::Refuted, s,
            std::countr_zero(lanes), "an integer is divided by zero");
}

Lanes Tracer::where(const Value& c) const {
  if (c.is_uniform()) return c.uniform ? all_lanes : 0;
  Lanes m = 0;
  for (int l = 0; l < ir::warp_size; ++l) m |= static_cast<Lanes>(c.lanes[l] == Yes) << l;
  return m;
}

void Tracer::pass_on(const std::vector<ValueId>& from, std::size_t skip,
                     const std::vector<ValueId>& to, std::size_t first, Lanes changed) {
  const std::size_t count = from.size() - skip;
  std::vector<Value> copies(count);
  std::vector<int> flights(count);
  for (std::size_t i = 0; i < count; ++i) {
    flights[i] = flight_[from[skip + i]];
    if (wants(to[first + i])) copies[i] = value(from[skip + i]);
  }
  Value mask;
  if (changed != all_lanes) {
    std::int64_t* w = mask.set_lanes(ir::warp_size);
    for (int l = 0; l < ir::warp_size; ++l) w[l] = changed >> l & 1;
  }
  for (std::size_t i = 0; i < count; ++i) {
    flight_[to[first + i]] = flights[i];
    if (!wants(to[first + i])) continue;
    Value& target = state_.values[to[first + i]];
    if (changed == all_lanes)
      target = std::move(copies[i]);
    else
      select(target, mask, copies[i], Value(target), ir::warp_size);
  }
}

void Tracer::forget(const std::vector<ValueId>& ids) {
  for (ValueId v : ids) {
    if (!wants(v)) continue;
    state_.values[v].set_unknown();
    if (k_.type(v).is_scalar()) set_type_range(state_.values[v], k_.type(v).elem);
  }
}

void Tracer::exec_if(const Step& s, Lanes lanes) {
  const Value c = value(s.op->in[0]);
  auto yields = [&](int r) -> const std::vector<ValueId>& {
    return s.op->regions[r].ops.back().in;
  };
  if (!c.is_known()) return unknown_if(s, lanes, c);
  const Lanes yes = where(c) & lanes, no = lanes & ~yes;
  if (yes) {
    exec(s.regions[0], yes);
    pass_on(yields(0), 0, s.op->out, 0, all_lanes);
  }
  if (!no) return;
  exec(s.regions[1], no);
  pass_on(yields(1), 0, s.op->out, 0, yes ? no : all_lanes);
}

/// Arms that only compute are left out; accesses in them may happen; of a sync nothing is known.
void Tracer::unknown_if(const Step& s, Lanes lanes, const Value& c) {
  const Facts& f = s.facts;
  bool one_warp = c.is_unknown() && c.same >= ir::Team::Warp;
  if (f.async || f.barrier || f.commit || (f.warp && !one_warp))
    undecided(s, "which way a condition goes that guards syncs follows from data");
  bool before = std::exchange(possible_, true);
  for (const Steps& arm : s.regions)
    if (f.shared || f.global_write || f.global_read) exec(arm, lanes);
  possible_ = before;
  forget(s.op->out);
}

/// A loop or branch of unknown length: nothing to see if it only computes.
void Tracer::skip(const Step& s, Lanes, std::string_view what) {
  if (!s.facts.light() || s.facts.global_read)
    undecided(s, fmt::format("{} follows from data", what));
  for (const ir::Region& r : s.op->regions) forget(r.args);
  forget(s.op->out);
}

void Tracer::exec_for(const Step& s, Lanes lanes) {
  const Operation& op = *s.op;
  const ir::Region& body = op.regions[0];
  const Value lo = value(op.in[0]), hi = value(op.in[1]), step = value(op.in[2]);
  pass_on(op.in, 3, body.args, 1, all_lanes);
  if (!lo.is_known() || !hi.is_known() || !step.is_known())
    return skip(s, lanes, "how often a loop runs");
  if (!lo.is_uniform() || !hi.is_uniform() || !step.is_uniform()) {
    lanes_for(s, lanes);
  } else {
    if (step.uniform <= 0)
      return finding(Property::Arithmetic, Verdict::Refuted, s, std::countr_zero(lanes),
                     "a loop's step is not positive");
    bool is_signed = ir::is_signed(k_.type(op.in[0]).elem);
    auto more = [&](std::int64_t i) {
      return is_signed ? i < hi.uniform
                       : static_cast<std::uint64_t>(i) < static_cast<std::uint64_t>(hi.uniform);
    };
    for (std::int64_t i = lo.uniform; more(i); i += step.uniform) {
      state_.values[body.args[0]].set_uniform(i);
      exec(s.regions[0], lanes);
      pass_on(body.ops.back().in, 0, body.args, 1, all_lanes);
    }
  }
  std::vector<ValueId> last(body.args.begin() + 1, body.args.end());
  pass_on(last, 0, op.out, 0, all_lanes);
}

void Tracer::lanes_for(const Step& s, Lanes lanes) {
  const Operation& op = *s.op;
  const ir::Region& body = op.regions[0];
  const Value lo = value(op.in[0]), hi = value(op.in[1]), step = value(op.in[2]);
  Value i;
  std::int64_t* now = i.set_lanes(ir::warp_size);
  for (int l = 0; l < ir::warp_size; ++l) {
    now[l] = lo.at(l);
    if (lanes >> l & 1 && step.at(l) <= 0)
      return finding(Property::Arithmetic, Verdict::Refuted, s, l, "a loop's step is not positive");
  }
  bool is_signed = ir::is_signed(k_.type(op.in[0]).elem);
  while (true) {
    Lanes active = 0;
    for (int l = 0; l < ir::warp_size; ++l) {
      bool more =
          is_signed ? i.lanes[l] < hi.at(l)
                    : static_cast<std::uint64_t>(i.lanes[l]) < static_cast<std::uint64_t>(hi.at(l));
      active |= static_cast<Lanes>(more) << l;
    }
    active &= lanes;
    if (!active) return;
    state_.values[body.args[0]] = i;
    exec(s.regions[0], active);
    pass_on(body.ops.back().in, 0, body.args, 1, active == lanes ? all_lanes : active);
    for (int l = 0; l < ir::warp_size; ++l) i.lanes[l] += active >> l & 1 ? step.at(l) : 0;
  }
}

void Tracer::exec_while(const Step& s, Lanes lanes) {
  const Operation& op = *s.op;
  const Operation& head = op.regions[0].ops.back();
  pass_on(op.in, 0, op.regions[0].args, 0, all_lanes);
  Lanes active = lanes;
  while (true) {
    exec(s.regions[0], active);
    pass_on(head.in, 1, op.out, 0, active == lanes ? all_lanes : active);
    const Value c = value(head.in[0]);
    if (!c.is_known()) return skip(s, active, "how often a loop runs");
    active &= where(c);
    if (!active) return;
    pass_on(head.in, 1, op.regions[1].args, 0, all_lanes);
    exec(s.regions[1], active);
    pass_on(op.regions[1].ops.back().in, 0, op.regions[0].args, 0,
            active == lanes ? all_lanes : active);
  }
}

Event& Tracer::add(EventKind kind, const Step& s, Lanes lanes) {
  Event e;
  e.kind = kind;
  e.op = s.index;
  e.lanes = lanes;
  e.possible = possible_;
  e.first = static_cast<std::uint32_t>(trace_.ranges.size());
  trace_.events.push_back(e);
  return trace_.events.back();
}

void Tracer::finding(Property p, Verdict v, const Step& s, int lane, std::string message) {
  Entry e;
  e.thread = static_cast<std::uint16_t>(ids_.first + lane);
  e.block = static_cast<std::uint8_t>(block_);
  state_.recorder.add_at(p, v, s, e, -1, std::move(message));
}

void Tracer::undecided(const Step& s, std::string message) {
  finding(Property::Replay, Verdict::Unknown, s, 0, std::move(message));
  throw Undecided{};
}

std::int64_t Tracer::at(const Step& s, ValueId v, int lane, std::string_view what) {
  const Value& x = value(v);
  if (!x.is_known()) undecided(s, fmt::format("{} follows from data", what));
  return x.at(lane);
}

}  // namespace barline::verify::proof::async
