// SPDX-License-Identifier: Apache-2.0
#include "ir/passes/taken_groups_p.h"

#include <algorithm>
#include <set>

#include "ir/diagnostic.h"

namespace barline::ir {
namespace {

/// Does the product accumulate over the loop that `body` is, on a warpgroup's unit?
bool accumulates(const Region& body, const Operation& product) {
  if (product.attr_as<Agent>(Key::Agent) != Agent::Wgmma) return false;
  auto arg = std::find(body.args.begin(), body.args.end(), product.in[0]);
  if (arg == body.args.end()) return false;
  std::size_t at = static_cast<std::size_t>(arg - body.args.begin()) - 1;
  const Operation& yield = body.ops.back();
  return at < yield.in.size() && yield.in[at] == product.out[0];
}

/// Do wgmmas read the box in its slot: the product itself, or all in the loop that use it?
bool only_multiplied(const Operation& op, ValueId box) {
  auto uses = [&](const Operation& user) {
    return std::find(user.in.begin(), user.in.end(), box) != user.in.end();
  };
  auto multiplies = [&](const Operation& user) {
    return user.is(Op::Dot) && user.attr_as<Agent>(Key::Agent) == Agent::Wgmma && user.in[0] != box;
  };
  bool only = op.is(Op::For) ? !uses(op) : uses(op) && multiplies(op);
  for (const Region& r : op.regions)
    walk(r, [&](const Operation& user) { only = only && (!uses(user) || multiplies(user)); });
  return only;
}

/// Is the load one of those, packed words among them, that an operand of the product is made of?
bool of_weights(const Region& r, const Operation& product, ValueId load) {
  for (std::size_t i = 1; product.is(Op::Dot) && i < product.in.size(); ++i) {
    std::set<ValueId> made_of{product.in[i]};
    bool packed = false;
    for (auto op = r.ops.rbegin(); op != r.ops.rend(); ++op) {
      if (op->out.empty() || !made_of.contains(op->out[0])) continue;
      packed = packed || (op->is(Op::FragmentLoad) && op->attr(Key::Packed));
      if (op->out[0] != product.out[0]) made_of.insert(op->in.begin(), op->in.end());
    }
    if (packed && made_of.contains(load)) return true;
  }
  return false;
}

void refuse_branch(const Kernel& k, const Region& r) {
  walk(r, [&](const Operation& op) {
    if (is_gated(k, op))
      fail(Diag::BadStructure, op.loc, "a box of a ring by tma under a condition",
           "take boxes in loops alone: both roles count them");
  });
}

}  // namespace

std::size_t Taken::index_of(ValueId load) const {
  std::size_t i = 0;
  while (loads[i].out[0] != load) ++i;
  return i;
}

bool Taken::stands_in(const Operation& loop) const {
  const auto& ops = loop.regions[0].ops;
  return std::any_of(ops.begin(), ops.end(),
                     [&](const Operation& op) { return !op.out.empty() && op.out[0] == product; });
}

void TakenGroups::collect(const Region& r, bool once) {
  std::vector<Operation> pending;
  for (const Operation& op : r.ops) {
    for (const Region& sub : op.regions) {
      if (!op.is(Op::For)) refuse_branch(k_, sub);
      collect(sub, once && !op.is(Op::For));
    }
    if (is_gated(k_, op)) pending.push_back(op);
    bool takes = op.is(Op::Dot) || (op.is(Op::For) && !op.out.empty());
    if (!takes || pending.empty()) continue;
    std::vector<bool> in_place;
    for (const Operation& load : pending) in_place.push_back(only_multiplied(op, load.out[0]));
    Taken& t = all_.emplace_back();
    t.gates = declare_group(k_, facts_, pending, in_place, once ? 0 : readers_);
    t.product = op.out[0];
    t.late = accumulates(r, op);
    for (const Operation& load : pending) t.early.push_back(of_weights(r, op, load.out[0]));
    for (const Operation& load : pending) of_load_[load.out[0]] = &t;
    of_product_[t.product] = &t;
    t.loads = std::move(pending);
    pending.clear();
  }
  if (!pending.empty())
    fail(Diag::BadSchedule, pending[0].loc, "a ring by tma whose boxes no product takes",
         "let lanes load the operand, or multiply it");
}

std::vector<Taken*> TakenGroups::in(const Region& r) const {
  std::vector<Taken*> found;
  walk(r, [&](const Operation& op) {
    for (ValueId v : op.out)
      if (auto it = of_product_.find(v); it != of_product_.end()) found.push_back(it->second);
  });
  return found;
}

Taken* TakenGroups::find(const ByValue& groups, const Operation& op) {
  auto at = op.out.empty() ? groups.end() : groups.find(op.out[0]);
  return at == groups.end() ? nullptr : at->second;
}

}  // namespace barline::ir
