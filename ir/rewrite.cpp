// SPDX-License-Identifier: Apache-2.0
#include "ir/rewrite.h"

namespace barline::ir {

void replace_uses(Operation& op, const ValueMap& map) {
  for (ValueId& v : op.in)
    if (auto it = map.find(v); it != map.end()) v = it->second;
  for (Region& r : op.regions) replace_uses(r, map);
}

void replace_uses(Region& region, const ValueMap& map) {
  for (Operation& op : region.ops) replace_uses(op, map);
}

Operation clone(Kernel& k, const Operation& op, ValueMap& map) {
  auto fresh = [&](ValueId v) {
    ValueInfo info = k.values[v];
    return map[v] = k.new_value(info.type, info.name);
  };
  Operation copy{
      .op = op.op, .in = op.in, .out = {}, .attrs = op.attrs, .regions = {}, .loc = op.loc};
  for (ValueId& v : copy.in)
    if (auto it = map.find(v); it != map.end()) v = it->second;
  for (const Region& r : op.regions) {
    Region& to = copy.regions.emplace_back();
    for (ValueId v : r.args) to.args.push_back(fresh(v));
    for (const Operation& inner : r.ops) to.ops.push_back(clone(k, inner, map));
  }
  for (ValueId v : op.out) copy.out.push_back(fresh(v));
  return copy;
}

std::vector<ValueId> inline_region(Builder& b, const Region& region, ValueMap& map) {
  for (std::size_t i = 0; i + 1 < region.ops.size(); ++i)
    b.append(clone(b.kernel(), region.ops[i], map));
  std::vector<ValueId> results = region.ops.back().in;
  for (ValueId& v : results)
    if (auto it = map.find(v); it != map.end()) v = it->second;
  return results;
}

std::vector<ValueId> inline_combine(Builder& b, const Operation& reduce,
                                    const std::vector<ValueId>& x, const std::vector<ValueId>& y) {
  const Region& r = reduce.regions[0];
  ValueMap map;
  for (std::size_t i = 0; i < x.size(); ++i) {
    map[r.args[i]] = x[i];
    map[r.args[x.size() + i]] = y[i];
  }
  return inline_region(b, r, map);
}

void append_if(Builder& b, ValueId condition, const std::function<void()>& then,
               const std::function<void()>& otherwise) {
  Operation choice{.op = Op::If,
                   .in = {condition},
                   .out = {},
                   .attrs = {},
                   .regions = std::vector<Region>(2),
                   .loc = b.loc()};
  for (int arm = 0; arm < 2; ++arm) {
    b.open(choice.regions[arm]);
    if (const auto& body = arm == 0 ? then : otherwise) body();
    b.append({.op = Op::Yield, .in = {}, .out = {}, .attrs = {}, .regions = {}, .loc = {}});
    b.close();
  }
  b.append(std::move(choice));
}

std::int64_t constant_value(const Kernel& k, const Operation& constant) {
  Elem e = k.type(constant.out[0]).elem;
  std::int64_t raw = constant.attr(Key::Value);
  if (!is_signed(e) || bits(e) == 64) return raw;
  int shift = 64 - bits(e);
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(raw) << shift) >> shift;
}

std::optional<std::int64_t> constant_of(const Kernel& k, const std::vector<const Operation*>& defs,
                                        ValueId v) {
  if (v >= defs.size() || !defs[v] || !defs[v]->is(Op::Const)) return std::nullopt;
  return constant_value(k, *defs[v]);
}

}  // namespace barline::ir
