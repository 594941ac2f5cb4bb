// SPDX-License-Identifier: Apache-2.0
// A value counts a slot's uses if it is the base of a slot_at, or flows into one that does. An
// unrelated counter that happens to start at the same constant must not take an access over.
#include "ir/passes/use_counts_p.h"

namespace barline::ir {
namespace {

/// Calls f(from, to) on the values that the edge passes on.
template <class F>
void each_pair(const Edge& e, F f) {
  for (std::size_t i = 0; i + e.skip_from < e.from.size() && i + e.skip_to < e.to.size(); ++i)
    f(e.from[i + e.skip_from], e.to[i + e.skip_to]);
}

}  // namespace

Edge UseCounts::into(const Operation& loop) const {
  const std::vector<ValueId>& args = loop.regions[0].args;
  return {loop.in, 3, args, 1, args[0], effects_.use_form(loop.in[0])};
}

Edge UseCounts::back(const Operation& loop) const {
  const std::vector<ValueId>& args = loop.regions[0].args;
  Use step = effects_.use_form(loop.in[2]);
  bool constant = step.known && step.base == no_value;
  return {loop.regions[0].ops.back().in, 0, args, 1, args[0], {args[0], step.offset, constant}};
}

std::vector<Edge> UseCounts::edges(const Operation& op) const {
  const auto& r = op.regions;
  switch (op.op) {
    case Op::If: return {{r[0].ops.back().in, 0, op.out, 0}, {r[1].ops.back().in, 0, op.out, 0}};
    case Op::For: return {into(op), back(op), {r[0].ops.back().in, 0, op.out, 0}};
    case Op::While:
      return {{op.in, 0, r[0].args, 0},
              {r[0].ops.back().in, 1, r[1].args, 0},
              {r[1].ops.back().in, 0, r[0].args, 0},
              {r[0].ops.back().in, 1, op.out, 0}};
    default: return {};
  }
}

UseCounts::UseCounts(const Kernel& k, const SlotEffects& effects) : k_(k), effects_(effects) {
  walk(k.body, [&](const Operation& op) {
    if (op.is(Op::SlotAt)) add(k.slot_of(op.in[0]), effects.use_form(op.in[1]), 1);
  });
  for (bool grew = !drivers_.empty(); grew;) {
    grew = false;
    walk(k.body, [&](const Operation& op) {
      for (const Edge& e : edges(op)) grew = spread(e) || grew;
    });
  }
}

bool UseCounts::add(int slot, const Use& use, std::int64_t factor) {
  return use.base != no_value && drivers_.insert({{slot, use.base}, use.factor * factor}).second;
}

bool UseCounts::spread(const Edge& edge) {
  bool grew = false;
  auto pass = [&](int slot, const Use& from, ValueId to) {
    auto it = drivers_.find({slot, to});
    if (it != drivers_.end()) grew = add(slot, from, it->second) || grew;
  };
  for (int slot = 0; slot < static_cast<int>(k_.slots.size()); ++slot) {
    each_pair(edge, [&](ValueId from, ValueId to) { pass(slot, effects_.use_form(from), to); });
    pass(slot, edge.index_from, edge.index);
  }
  return grew;
}

bool UseCounts::rename(SlotAccess& a, const Edge& edge) const {
  std::int64_t copies = k_.slots[a.slot].copies;
  if (copies == 1 || !a.use.known) return false;
  bool done = false;
  const Use now = a.use;
  auto take = [&](const Use& from, ValueId to) {
    if (done || to == no_value || k_.type(to) != scalar(Elem::S32)) return;
    auto driver = drivers_.find({a.slot, to});
    if (driver == drivers_.end() || !from.known || from.base != now.base) return;
    std::int64_t factor = driver->second;  // a constant is any multiple of another, and the rest
    if (now.base != no_value) {
      if (from.factor == 0 || now.factor % from.factor != 0) return;
      factor = now.factor / from.factor;
    }
    std::int64_t rest = (now.offset - factor * from.offset) % copies;
    a.use = {to, (rest + copies) % copies, true, factor};
    done = true;
  };
  if (edge.index != no_value) take(edge.index_from, edge.index);
  each_pair(edge, [&](ValueId from, ValueId to) { take(effects_.use_form(from), to); });
  return done;
}

}  // namespace barline::ir
