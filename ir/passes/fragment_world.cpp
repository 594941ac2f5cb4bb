// SPDX-License-Identifier: Apache-2.0
#include "ir/passes/fragments_p.h"
#include "ir/passes/rings_p.h"
#include "ir/rewrite.h"

namespace barline::ir {

int group_size(const Layout& l) { return tile_axes(l).size() == 2 ? group_of_two_axes : 1; }

int group_count(const Layout& l) { return registers(l) / group_size(l); }

Type group_type(const Kernel& k, Type tile) {
  if (tile.elem == Elem::S8 || tile.elem == Elem::S4) return scalar(Elem::U32);
  int n = group_size(k.layouts[tile.layout]);
  return n == 1 ? scalar(tile.elem) : vector(tile.elem, n);
}

bool spans_rows(const Layout& l) {
  const int pairs = l.digits[0].axis;
  return Places::of_register(l, pairs, 2) == Places::of_register(l, pairs, 0);
}

FragmentWorld::FragmentWorld(Kernel& kernel) : k(kernel), places(kernel) {
  auto defs = definitions(k);
  places.learn();
  for (const Operation& op : k.body.ops) {
    awaits = awaits || op.is(Op::AwaitPrevious);
    if (op.is(Op::For)) outer_loops.insert(op.regions[0].args[0]);
  }
  walk(k.body, [&](const Operation& op) {
    for (ValueId v : op.in)
      if (k.type(v).is_pointer() && !roots_.contains(v)) roots_[v] = root_of(k, defs, v);
  });
  walk(k.body, [&](const Operation& op) {
    if (op.is(Op::Const) && is_int(k.type(op.out[0]).elem))
      constants_[op.out[0]] = constant_value(k, op);
    if (op.is(Op::Fill)) param_of_slot_[root(op.in[0]).slot] = root(op.in[1]).param;
    if (op.is(Op::CopyTensor)) param_of_slot_[root(op.in[0]).slot] = root(op.in[2]).param;
  });
}

std::optional<std::int64_t> FragmentWorld::known(ValueId v) const {
  auto it = constants_.find(v);
  return it == constants_.end() ? std::nullopt : std::optional(it->second);
}

int FragmentWorld::source(const Operation& load) const {
  const Root& r = root(load.in[0]);
  return r.slot < 0 ? r.param : param_of_slot_.at(r.slot);
}

ValueId FragmentWorld::add_slot(const std::string& name, const Operation& load,
                                std::int64_t elements) {
  const Elem elem = k.type(load.in[0]).elem;
  Slot s{.name = fresh_name(k, name),
         .elem = elem,
         .extent = elements,
         .copies = 1,
         .value = no_value,
         .loc = load.loc};
  s.value = k.new_value(pointer(elem, Space::Shared), s.name);
  const int index = static_cast<int>(k.slots.size());
  roots_[s.value].slot = index;
  param_of_slot_[index] = source(load);
  k.slots.push_back(s);
  return s.value;
}

ValueId FragmentWorld::size(int axis) {
  const Axis& a = k.axes[axis];
  if (a.bound) return places.number(*a.bound);
  if (a.of < 0) return k.axis_sizes[axis];
  return places.times(places.divided(places.add(size(a.of), a.per - 1), a.per), a.times);
}

ValueId FragmentWorld::size(Builder& b, const Root& root, int from_last) {
  auto of = [&](int param) {
    const std::vector<int>& axes = k.params[param].axes;
    return size(axes[axes.size() - 1 - from_last]);
  };
  ValueId v = of(root.params.back());
  for (std::size_t i = root.params.size() - 1; i-- > 0;) {
    ValueId here = of(root.params[i]);
    if (here == v) continue;
    ValueId is = b.compare(Compare::Eq, root.chosen, places.number(static_cast<std::int64_t>(i)));
    v = b.emit(Op::Select, {is, here, v});
  }
  return v;
}

ValueId FragmentWorld::wide(Builder& b, ValueId v) const {
  return k.type(v).elem == Elem::S64 ? v : b.cast(Elem::S64, v);
}

ValueId FragmentWorld::splat(Builder& b, ValueId x) { return pack(b, {x, x, x, x}); }

ValueId FragmentWorld::pack(Builder& b, std::vector<ValueId> parts) {
  int lanes = 0;
  for (ValueId v : parts) lanes += k.type(v).lanes;
  Type type = vector(k.type(parts[0]).elem, lanes);
  return b.emit(Op::Pack, type, std::move(parts));
}

ValueId FragmentWorld::join(Builder& b, ValueId low, ValueId high) {
  auto it = joined_.find({low, high});
  return it != joined_.end() ? it->second : pack(b, {low, high});
}

ValueId FragmentWorld::extract(Builder& b, ValueId v, int index, int lanes) {
  Elem e = k.type(v).elem;
  return b.emit(Op::Extract, lanes == 1 ? scalar(e) : vector(e, lanes), {v},
                {{Key::Index, index, {}}});
}

}  // namespace barline::ir
