// SPDX-License-Identifier: Apache-2.0
// Control flow of the replay. Known conditions split the mask; conditions that are not known but
// one for the block are guessed both ways, one path at a time; all others make what they guard
// possible instead of certain. Loops of unknown length are tried up to a bound past the slots'
// rotation.
#include <algorithm>

#include <fmt/format.h>

#include "verify/proof/machine.h"
#include "verify/proof/meetings.h"

namespace barline::verify::proof {

using ir::Key;
using ir::Op;
using ir::Operation;
using ir::Team;
using ir::ValueId;

int Decisions::choose(std::uint64_t symbol, int options) {
  if (auto it = known_.find(symbol); it != known_.end()) return it->second;
  if (at_ == path_.size()) path_.push_back({0, options});
  int option = path_[at_++].option;
  known_[symbol] = option;
  return option;
}

bool Decisions::next() {
  path_.resize(at_);
  restart_path();
  while (!path_.empty() && path_.back().option + 1 == path_.back().options) path_.pop_back();
  if (path_.empty()) return false;
  ++path_.back().option;
  return true;
}

std::string Decisions::text() const {
  std::string text;
  for (std::size_t i = 0; i < at_; ++i) text += fmt::format("{}{}", i ? "," : "", path_[i].option);
  return text;
}

Machine::Machine(CaseState& state, int ordinal, const std::int64_t (&block)[3])
    : state_(state),
      plan_(state.plan),
      k_(*state.plan.kernel),
      ordinal_(ordinal),
      guesses_before_(state.decisions.taken()),
      // Blocks past the second follow the second's guesses.
      block_symbol_(mix(0x2545f491, std::min(ordinal, 1))),
      values_(k_.values.size()),
      bound_(plan_.rotation.trips()) {
  // Epochs of different blocks never meet: an element keeps its entries from block to block.
  epoch_ = 1 + (static_cast<std::uint32_t>(ordinal) << 24);
  ids_.threads = k_.launch.block_threads();
  for (int d = 0; d < 3; ++d) {
    ids_.block_shape[d] = k_.launch.threads[d];
    ids_.block[d] = block[d];
    ids_.grid[d] = grid_count(k_, state.sizes, d);
  }
  warp_epoch_.assign((ids_.threads + ir::warp_size - 1) / ir::warp_size, 1);
  fenced_.assign(ids_.threads, 0);
  pending_.assign(ids_.threads, 0);
  commits_.assign(ids_.threads, 0);
  landed_.assign(ids_.threads, 0);
  awaited_.assign(ids_.threads, 0);
  for (std::size_t i = 0; i < k_.slots.size(); ++i)
    slots_.emplace_back(k_.slots[i], plan_.strong[i], plan_.async[i]);
  for (std::size_t i = 0; i < k_.axis_sizes.size(); ++i)
    if (k_.axis_sizes[i] != ir::no_value)
      values_[k_.axis_sizes[i]].set_uniform(state.sizes.axes[i]);
  for (std::size_t i = 0; i < k_.params.size(); ++i) {
    const ir::Param& p = k_.params[i];
    if (!p.type.is_scalar()) continue;
    if (ir::is_int(p.type.elem))
      values_[p.value].set_uniform(wrap(p.type.elem, state.sizes.scalars[i]));
    else
      values_[p.value].set_unknown(Team::Cta, mix(0x1234567, i));
  }
}

void Machine::run() {
  exec(plan_.body, Mask::all(ids_.threads));
  ended();
}

void Machine::spend(const Mask& mask) {
  state_.steps_left -= mask.count;
  if (state_.steps_left < 0) throw Exhausted{};
}

Mask Machine::masked(const Mask& mask, const Value& condition, bool otherwise) const {
  Mask m;
  m.on.resize(mask.on.size());
  std::int64_t unknown = condition.same >= Team::Warp ? MaybeWarp : Maybe;
  for (std::size_t t = 0; t < m.on.size(); ++t) {
    std::int64_t c = condition.is_unknown() ? unknown : condition.at(static_cast<int>(t));
    if (otherwise) c = negated(c);
    m.on[t] = static_cast<std::uint8_t>(both(mask.on[t], c));
    m.count += m.on[t] != No;
    m.sure = m.sure && m.on[t] <= Yes;
  }
  return m;
}

void Machine::exec(const Steps& steps, const Mask& mask) {
  for (const Step& s : steps) one(s, mask);
}

void Machine::one(const Step& s, const Mask& mask) {
  spend(mask);
  state_.recorder.reach(s.index);
  switch (s.op->op) {
    case Op::If: return exec_if(s, mask);
    case Op::For: return exec_for(s, mask);
    case Op::While: return exec_while(s, mask);
    case Op::Barrier: return barrier(s, mask);
    case Op::Fence: return fence(s, mask);
    case Op::CommitCopies: return commit(s, mask);
    case Op::AwaitPrevious: return await_previous(s, mask);
    default: break;
  }
  if (s.rows) warp_op(s, mask);
  if (s.param >= 0 || s.slot >= 0) return access(s, mask);
  if (s.op->has(ir::Convergent)) warp_op(s, mask);
  if (s.op->out.size() != 1 || !wants(s.op->out[0])) return;
  bool zero = false;
  evaluate(k_, *s.op, values_, ids_, mask.on, zero);
  if (zero)
    state_.recorder.add_at(Property::Arithmetic, mask.sure ? Verdict::Refuted : Verdict::Unknown, s,
                           {.block = static_cast<std::uint8_t>(ordinal_)}, -1,
                           "an integer is divided by zero");
}

/// to[first + i] = from[skip + i], read before any is written; where `changed` is given, only its
/// threads take the new value.
void Machine::pass_on(const std::vector<ValueId>& from, std::size_t skip,
                      const std::vector<ValueId>& to, std::size_t first, const Mask* changed) {
  std::vector<Value> copies(from.size() - skip);
  for (std::size_t i = 0; i < copies.size(); ++i)
    if (wants(to[first + i])) copies[i] = values_[from[skip + i]];
  Value where;
  if (changed) {
    std::int64_t* w = where.set_lanes(ids_.threads);
    for (int t = 0; t < ids_.threads; ++t) w[t] = changed->on[t] != No;
  }
  for (std::size_t i = 0; i < copies.size(); ++i) {
    Value& target = values_[to[first + i]];
    if (!wants(to[first + i])) continue;
    if (changed)
      select(target, where, copies[i], Value(target), ids_.threads);
    else
      target = std::move(copies[i]);
  }
}

void Machine::forget(const std::vector<ValueId>& ids) {
  for (ValueId v : ids) {
    if (!wants(v)) continue;
    values_[v].set_unknown();
    if (k_.type(v).is_scalar()) set_type_range(values_[v], k_.type(v).elem);
  }
}

// ---- if
// ------------------------------------------------------------------------------------------

void Machine::exec_if(const Step& s, const Mask& mask) {
  const Value c = values_[s.op->in[0]];
  auto yields = [&](int r) -> const std::vector<ValueId>& {
    return s.op->regions[r].ops.back().in;
  };
  if (c.is_uniform()) {
    int r = c.uniform ? 0 : 1;
    exec(s.regions[r], mask);
    return pass_on(yields(r), 0, s.op->out, 0, nullptr);
  }
  if (c.is_unknown() && c.same >= Team::Cta && !s.facts.light()) return guess_if(s, mask, c);
  Mask taken[2] = {masked(mask, c, false), masked(mask, c, true)};
  for (int r = 0; r < 2; ++r)
    if (taken[r].count) exec(s.regions[r], taken[r]);
  for (int r = 0; r < 2; ++r)
    if (!taken[1 - r].count) return pass_on(yields(r), 0, s.op->out, 0, nullptr);
  for (std::size_t i = 0; i < s.op->out.size(); ++i) {
    if (!wants(s.op->out[i])) continue;
    const Value &a = values_[yields(0)[i]], &b = values_[yields(1)[i]];
    Value& out = values_[s.op->out[i]];
    select(out, c, a, b, ids_.threads);
    if (out.is_unknown() && c.is_unknown()) {
      out.same = std::min({c.same, team_of(a), team_of(b)});
      out.symbol = fresh_symbol(s);
    }
  }
}

void Machine::guess_if(const Step& s, const Mask& mask, const Value& c) {
  int r = state_.decisions.choose(c.symbol, 2);
  exec(s.regions[r], mask);
  pass_on(s.op->regions[r].ops.back().in, 0, s.op->out, 0, nullptr);
}

// ---- for
// -----------------------------------------------------------------------------------------

void Machine::start_carried(const Step& s, const std::vector<ValueId>& args, std::size_t first_arg,
                            std::size_t first_in) {
  pass_on(s.op->in, first_in, args, first_arg, nullptr);
}

void Machine::exec_for(const Step& s, const Mask& mask) {
  const Operation& op = *s.op;
  const Value lo = values_[op.in[0]], hi = values_[op.in[1]], step = values_[op.in[2]];
  if (knows_reads(s)) return;
  start_carried(s, op.regions[0].args, 1, 3);
  if (lo.is_uniform() && hi.is_uniform() && step.is_uniform())
    uniform_for(s, mask, lo.uniform, hi.uniform, step.uniform);
  else if (lo.is_known() && hi.is_known() && step.is_known())
    lanes_for(s, mask);
  else
    return unknown_for(s, mask);
  std::vector<ValueId> last(op.regions[0].args.begin() + 1, op.regions[0].args.end());
  pass_on(last, 0, op.out, 0, nullptr);
}

/// A loop that only reads, as an earlier run of this block read; what it carries nobody asks for.
bool Machine::knows_reads(const Step& s) const {
  return state_.meetings && s.facts.light() && state_.meetings->knows_reads(s.facts.global_read) &&
         std::none_of(s.op->out.begin(), s.op->out.end(), [&](ValueId v) { return wants(v); });
}

void Machine::uniform_for(const Step& s, const Mask& mask, std::int64_t lo, std::int64_t hi,
                          std::int64_t step) {
  const Operation& op = *s.op;
  if (step <= 0)
    return state_.recorder.add_at(Property::Arithmetic, Verdict::Refuted, s, {}, -1,
                                  "a loop's step is not positive");
  bool is_signed = ir::is_signed(k_.type(op.in[0]).elem);
  auto more = [&](std::int64_t i) {
    return is_signed ? i < hi : static_cast<std::uint64_t>(i) < static_cast<std::uint64_t>(hi);
  };
  bool trace = s.runtime && s.facts.shared && !tracing_;
  if (s.runtime && s.facts.shared && tracing_) state_.periodic = false;  // one in another
  std::vector<std::uint64_t> trips;
  for (std::int64_t i = lo; more(i); i += step) {
    std::uint32_t before = epoch_;
    if (trace) tracing_ = true, trace_ = 0;
    values_[op.regions[0].args[0]].set_uniform(i);
    exec(s.regions[0], mask);
    pass_on(op.regions[0].ops.back().in, 0, op.regions[0].args, 1, nullptr);
    if (trace) trips.push_back(epoch_ == before ? 0 : trace_);
  }
  if (!trace) return;
  tracing_ = false;
  note_period(trips);
}

void Machine::lanes_for(const Step& s, const Mask& mask) {
  const Operation& op = *s.op;
  const Value lo = values_[op.in[0]], hi = values_[op.in[1]], step = values_[op.in[2]];
  if (s.runtime && s.facts.shared) state_.periodic = false;
  Value i;
  std::int64_t* at = i.set_lanes(ids_.threads);
  for (int t = 0; t < ids_.threads; ++t) {
    at[t] = lo.at(t);
    if (mask.on[t] && step.at(t) <= 0)
      return state_.recorder.add_at(Property::Arithmetic, Verdict::Refuted, s, {}, -1,
                                    "a loop's step is not positive");
  }
  bool is_signed = ir::is_signed(k_.type(op.in[0]).elem);
  Value more;
  while (true) {
    std::int64_t* m = more.set_lanes(ids_.threads);
    for (int t = 0; t < ids_.threads; ++t)
      m[t] = is_signed
                 ? i.lanes[t] < hi.at(t)
                 : static_cast<std::uint64_t>(i.lanes[t]) < static_cast<std::uint64_t>(hi.at(t));
    Mask active = masked(mask, more, false);
    if (!active.count) return;
    values_[op.regions[0].args[0]] = i;
    exec(s.regions[0], active);
    bool all = active.count == mask.count;
    pass_on(op.regions[0].ops.back().in, 0, op.regions[0].args, 1, all ? nullptr : &active);
    for (int t = 0; t < ids_.threads; ++t) i.lanes[t] += m[t] ? step.at(t) : 0;
  }
}

/// A loop whose bounds are not known: the first trips with the loop variable where it is known, and
/// one with nothing known, which stands for any later trip.
void Machine::unknown_for(const Step& s, const Mask& mask) {
  const Operation& op = *s.op;
  const ir::Region& body = op.regions[0];
  const Value lo = values_[op.in[0]], hi = values_[op.in[1]], step = values_[op.in[2]];
  Team team = std::min({team_of(lo), team_of(hi), team_of(step)});
  bool counted = lo.is_known() && step.is_known();
  bool guess = team >= Team::Cta && !s.facts.light();
  int trips = s.facts.light() ? 1 : bound_;
  if (guess) trips -= state_.decisions.choose(fresh_symbol(s), bound_ + 1);
  Value maybe;
  maybe.set_unknown(team);
  Mask possible = guess ? mask : masked(mask, maybe, false);
  Value i = lo;
  for (int n = 0; n < trips; ++n) {
    forget({body.args[0]});
    if (counted) {
      values_[body.args[0]] = i;
      if (i.is_uniform() && step.is_uniform()) {
        i.set_uniform(i.uniform + step.uniform);
      } else {
        Value next;
        std::int64_t* r = next.set_lanes(ids_.threads);
        for (int t = 0; t < ids_.threads; ++t) r[t] = i.at(t) + step.at(t);
        i = std::move(next);
      }
    }
    exec(s.regions[0], possible);
    pass_on(body.ops.back().in, 0, body.args, 1, nullptr);
  }
  if (!guess && s.facts.light()) {
    forget(body.args);
    exec(s.regions[0], possible);
  }
  if (!s.facts.light()) note_bounded(op);
  forget(op.out);
}

// ---- while
// ---------------------------------------------------------------------------------------

void Machine::exec_while(const Step& s, const Mask& mask) {
  const Operation& op = *s.op;
  const Operation& head = op.regions[0].ops.back();
  start_carried(s, op.regions[0].args, 0, 0);
  if (s.runtime && s.facts.shared) state_.periodic = false;
  Mask active = mask;
  for (bool first = true;; first = false) {
    exec(s.regions[0], active);
    bool all = active.count == mask.count;
    pass_on(head.in, 1, op.out, 0, first || all ? nullptr : &active);
    const Value c = values_[head.in[0]];
    if (c.is_uniform() && !c.uniform) return;
    if (!c.is_known()) return unknown_while(s, std::move(active), c);
    if (c.is_lanes()) active = masked(active, c, false);
    if (!active.count) return;
    pass_on(head.in, 1, op.regions[1].args, 0, nullptr);
    exec(s.regions[1], active);
    all = active.count == mask.count;
    pass_on(op.regions[1].ops.back().in, 0, op.regions[0].args, 0, all ? nullptr : &active);
  }
}

/// From the first condition that is not known on. The head has just run.
void Machine::unknown_while(const Step& s, Mask active, const Value& condition) {
  const Operation& op = *s.op;
  const Operation& head = op.regions[0].ops.back();
  bool guess = condition.is_unknown() && condition.same >= Team::Cta && !s.facts.light();
  int trips = s.facts.light() ? 1 : bound_;
  if (guess) trips -= state_.decisions.choose(fresh_symbol(s), bound_ + 1);
  if (!guess) active = masked(active, condition, false);
  for (int n = 0; n < trips && active.count; ++n) {
    pass_on(head.in, 1, op.regions[1].args, 0, nullptr);
    exec(s.regions[1], active);
    pass_on(op.regions[1].ops.back().in, 0, op.regions[0].args, 0, nullptr);
    exec(s.regions[0], active);
  }
  if (!guess && s.facts.light() && active.count) {
    forget(op.regions[1].args);
    exec(s.regions[1], active);
    forget(op.regions[0].args);
    exec(s.regions[0], active);
  }
  if (!s.facts.light()) note_bounded(op);
  forget(op.out);
}

void Machine::note_bounded(const Operation& op) {
  state_.periodic = false;
  state_.recorder.note(fmt::format("{}: a loop of unknown length, replayed up to {} trips",
                                   ir::to_string(op.loc), bound_));
}

/// The trips of a loop repeat themselves if each crosses a barrier and its shared accesses are
/// those of a rotation before; the last trips may be ragged.
void Machine::note_period(const std::vector<std::uint64_t>& trips) {
  const auto ragged = static_cast<std::size_t>(plan_.rotation.ragged);
  if (trips.size() < ragged + 2) return;
  bool found = false;
  for (std::size_t p = 1; p <= static_cast<std::size_t>(plan_.rotation.period) && !found; ++p) {
    found = true;
    for (std::size_t i = 1; i + p + ragged < trips.size() && found; ++i)
      found = trips[i] != 0 && trips[i] == trips[i + p];
  }
  state_.periodic = state_.periodic && found;
}

}  // namespace barline::verify::proof
