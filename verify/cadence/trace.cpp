// SPDX-License-Identifier: Apache-2.0
// Backwards from a value over what computes it, up to loads. What a loop carries and what a product
// has summed ends the search: it is data of earlier steps.
#include "verify/cadence/trace_p.h"

#include <algorithm>

namespace barline::verify::cadence {
namespace {

/// One name for a choice among several: what they begin with, and a star.
std::string joined(const std::set<std::string>& names) {
  if (names.empty()) return {};
  if (names.size() == 1) return *names.begin();
  const std::string &first = *names.begin(), &last = *names.rbegin();
  auto differ = std::mismatch(first.begin(), first.end(), last.begin(), last.end()).first;
  return differ == first.begin() ? std::string() : std::string(first.begin(), differ) + "*";
}

}  // namespace

Trace::Trace(const ir::Kernel& k) : k_(k), defs_(ir::definitions(k)) {
  ir::walk(k.body, [&](const ir::Operation& op) { order_.emplace(&op, order_.size()); });
}

std::set<std::string> Trace::names_of(const ir::Operation& op, std::size_t pointer) const {
  std::set<std::string> names;
  for (int p : ir::root_of(k_, defs_, op.in[pointer]).params) names.insert(k_.params[p].name);
  return names;
}

std::string Trace::moved_by(const ir::Operation& write) {
  if (write.is(ir::Op::CopyAsync)) return joined(names_of(write, 2));
  if (!write.is(ir::Op::Store)) return {};
  std::set<std::string> names;
  for (const ir::Operation* load : loads_of(write.in[2])) names.merge(names_of(*load, 0));
  return joined(names);
}

std::vector<const ir::Operation*> Trace::factors(const ir::Operation& product) {
  Loads all = loads_of(product.in[0]);
  const Loads& right = loads_of(product.in[1]);
  all.insert(right.begin(), right.end());
  std::vector<const ir::Operation*> out;
  for (const ir::Operation* load : all)
    if (ir::root_of(k_, defs_, load->in[0]).slot >= 0) out.push_back(load);
  std::sort(out.begin(), out.end(), [&](auto* a, auto* b) { return order_.at(a) < order_.at(b); });
  return out;
}

const Trace::Loads& Trace::loads_of(ir::ValueId v) {
  if (auto it = known_.find(v); it != known_.end()) return it->second;
  Loads found = find_loads(v);
  return known_[v] = std::move(found);
}

Trace::Loads Trace::find_loads(ir::ValueId v) {
  const ir::Operation* def = defs_[v];
  if (!def || def->is(ir::Op::For) || def->is(ir::Op::While) || def->is(ir::Op::MmaSync)) return {};
  if (def->has(ir::Reads)) return {def};
  Loads all;
  auto add = [&](ir::ValueId from) {
    const Loads& more = loads_of(from);
    all.insert(more.begin(), more.end());
  };
  if (def->is(ir::Op::If)) {
    auto at = std::find(def->out.begin(), def->out.end(), v) - def->out.begin();
    for (const ir::Region& arm : def->regions) add(arm.ops.back().in[static_cast<std::size_t>(at)]);
  } else {
    for (ir::ValueId from : def->in) add(from);
  }
  return all;
}

}  // namespace barline::verify::cadence
