// SPDX-License-Identifier: Apache-2.0
// The sum of the parts that warps hold, through a slot: each warp writes its groups of registers,
// 16 bytes a lane, side by side; place_syncs finds the barrier; then each warp reads, part by part
// in their order, the groups that are its own of the sum (ir/fragment_merge.h).
//
//   slot   [warp][group][lane] of four sums
#include <algorithm>

#include "ir/diagnostic.h"
#include "ir/fragment_merge.h"
#include "ir/passes/fragments_p.h"

namespace barline::ir {
namespace {

constexpr std::int64_t group_elements = warp_size * group_of_two_axes;

ValueId add_merge_slot(Kernel& k, std::int64_t groups, const Loc& loc) {
  std::string name = "parts";
  auto taken = [&] {
    return std::any_of(k.slots.begin(), k.slots.end(),
                       [&](const Slot& s) { return s.name == name; });
  };
  while (taken()) name += '_';
  Slot s{.name = name,
         .elem = Elem::F32,
         .extent = groups * group_elements,
         .copies = 1,
         .value = k.new_value(pointer(Elem::F32, Space::Shared), name),
         .loc = loc};
  k.slots.push_back(s);
  return s.value;
}

}  // namespace

Groups expand_merge(Builder& out, FragmentWorld& w, const Operation& merge, const Groups& groups) {
  const Layout from = w.layout(merge.in[0]);
  const auto parts = static_cast<int>(merge.attr(Key::Parts));
  const auto count = static_cast<std::int64_t>(groups.size());
  if (group_size(from) != group_of_two_axes || w.k.type(merge.in[0]).elem != Elem::F32)
    fail(Diag::BadSchedule, merge.loc, "parts of a sum that are no f32 tile over two axes",
         "share out sums of f16 or bf16 products");
  const MergePlan plan = merge_plan(from, parts);
  const std::int64_t warps = extent(from.digits, In::Warp), of_warp = count * group_elements;
  ValueId slot = add_merge_slot(w.k, warps * count, merge.loc);
  // Positions are worked out here, not at the kernel's head: they take no registers from the loop.
  Places p(w.k);
  Region ops;
  Builder b(w.k, ops);
  b.at(out.loc());
  ValueId lane = p.times(p.lane(), group_of_two_axes);
  ValueId to = p.op(Op::Add, p.times(p.warp(), of_warp), lane);
  auto at = [](std::int64_t offset) {
    return offset ? std::vector<Attr>{{Key::Offset, offset, {}}} : std::vector<Attr>{};
  };
  for (std::int64_t g = 0; g < count; ++g)
    b.append({.op = Op::Store,
              .in = {slot, to, groups[g]},
              .out = {},
              .attrs = at(g * group_elements),
              .regions = {},
              .loc = merge.loc});
  // The first of a warp's groups, of part 0.
  ValueId first = p.op(Op::Add, p.times(p.modulo(p.warp(), plan.placed), of_warp), lane);
  std::int64_t weight = plan.placed;
  for (const MergeDigit& d : plan.digits) {
    ValueId digit = p.modulo(p.divided(p.warp(), weight), d.extent);
    first = p.op(Op::Add, first, p.times(digit, d.groups * group_elements));
    weight *= d.extent;
  }
  Groups sums;
  for (std::int64_t g : plan.of_registers) {
    ValueId sum = no_value;
    for (int part = 0; part < parts; ++part) {
      std::int64_t offset = part * plan.placed * of_warp + g * group_elements;
      ValueId v = b.emit(Op::Load, vector(Elem::F32, group_of_two_axes), {slot, first}, at(offset));
      sum = sum == no_value ? v : b.binary(Op::Add, sum, v);
    }
    sums.push_back(sum);
  }
  for (Operation& op : p.take()) out.append(std::move(op));
  for (Operation& op : ops.ops) out.append(std::move(op));
  return sums;
}

}  // namespace barline::ir
