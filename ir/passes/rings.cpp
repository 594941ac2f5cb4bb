// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <algorithm>

#include "ir/diagnostic.h"
#include "ir/fragment.h"
#include "ir/passes/rings_p.h"

namespace barline::ir {
namespace {

constexpr int bytes_a_copy_at_least = 4;  ///< what an asynchronous copy moves

/// How much of the tensor's axis a tile covers: along the axis itself, or along the one it is
/// derived from.
std::int64_t extent_on(const Kernel& k, const Layout& tile, int axis) {
  const Axis& a = k.axes[axis];
  if (a.of < 0) return extent_along(tile, axis);
  return (extent_along(tile, a.of) + a.per - 1) / a.per * a.times;
}

/// A coordinate in elements of the tensor's axis from one in those of the tile's.
ValueId on_axis(Builder& b, const Axis& a, ValueId v) {
  if (a.of < 0) return v;
  if (a.per != 1) v = b.binary(Op::Div, v, b.constant(Elem::S32, a.per));
  return a.times == 1 ? v : b.binary(Op::Mul, v, b.constant(Elem::S32, a.times));
}

}  // namespace

const Ring* ring_of(const Kernel& k, const Operation& op) {
  const Attr* stream = op.is(Op::FragmentLoad) ? op.find(Key::Stream) : nullptr;
  if (!stream) return nullptr;
  auto at = std::find_if(k.rings.begin(), k.rings.end(),
                         [&](const Ring& r) { return r.name == stream->text; });
  if (at == k.rings.end())
    fail(Diag::BadStructure, op.loc, fmt::format("a load through a ring '{}'", stream->text),
         "declare the ring in the kernel's header");
  return &*at;
}

RingFacts::RingFacts(const Kernel& k) {
  auto defs = definitions(k);
  walk(k.body, [&](const Operation& op) {
    if (op.is(Op::FragmentLoad)) roots[op.in[0]] = root_of(k, defs, op.in[0]);
    if (op.is(Op::Const) && is_int(k.type(op.out[0]).elem))
      constants[op.out[0]] = constant_value(k, op);
  });
}

StagedBox staged_box(const Kernel& k, const RingFacts& facts, const Operation& load) {
  const Root& root = facts.roots.at(load.in[0]);
  const Param& p = k.params[root.param];
  const Layout& tile = k.layouts[k.type(load.out[0]).layout];
  std::size_t n = p.axes.size();
  StagedBox box{.param = root.param, .elem = p.type.elem, .rows = 1, .columns = 1};
  if (n > 1) box.rows = extent_on(k, tile, p.axes[n - 2]);
  box.columns = extent_on(k, tile, p.axes[n - 1]);
  return box;
}

void check_same_box(const StagedBox& a, const StagedBox& b, const Ring& ring,
                    const Operation& load) {
  if (a.elem == b.elem && a.rows == b.rows && a.columns == b.columns) return;
  fail(Diag::BadSchedule, load.loc,
       fmt::format("ring '{}' for boxes of {} x {} {} and of {} x {} {}", ring.name, a.rows,
                   a.columns, name(a.elem), b.rows, b.columns, name(b.elem)),
       "give operands of different shapes a ring each");
}

std::string fresh_name(const Kernel& k, std::string name) {
  auto taken = [&](const Slot& s) { return s.name == name; };
  while (std::any_of(k.slots.begin(), k.slots.end(), taken)) name += '_';
  return name;
}

BoxOrigin origin_of(Builder& b, const StagedBox& box, const Operation& load) {
  const Kernel& k = b.kernel();
  const std::vector<int>& axes = k.params[box.param].axes;
  ValueId row = load.in[2];
  if (axes.size() > 1) row = on_axis(b, k.axes[axes[axes.size() - 2]], row);
  return {row, on_axis(b, k.axes[axes.back()], load.in[3])};
}

int add_slot(Kernel& k, const Ring& ring, const StagedBox& box, const Loc& loc) {
  if (ring.by == Agent::CpAsync && box.columns * bytes(box.elem) % bytes_a_copy_at_least != 0)
    fail(Diag::BadSchedule, loc,
         fmt::format("ring '{}' by cp.async for rows of {} bytes", ring.name,
                     box.columns * bytes(box.elem)),
         "asynchronous copies move 4, 8 or 16 bytes: widen the tile, or fill by lanes");
  Slot s{.name = fresh_name(k, ring.name + "_ring"),
         .elem = box.elem,
         .extent = box.rows * box.columns,
         .copies = ring.slots,
         .value = no_value,
         .loc = loc};
  s.value = k.new_value(pointer(s.elem, Space::Shared), s.name);
  k.slots.push_back(std::move(s));
  return static_cast<int>(k.slots.size() - 1);
}

void emit_fill(Builder& b, const Ring& ring, const StagedBox& box, ValueId slot, ValueId use,
               const Operation& load) {
  if (use != no_value) slot = b.emit(Op::SlotAt, {slot, use});
  BoxOrigin at = origin_of(b, box, load);
  Operation fill{.op = Op::Fill,
                 .in = {slot, load.in[0], load.in[1], at.row, at.col},
                 .out = {},
                 .attrs = {},
                 .regions = {},
                 .loc = load.loc};
  fill.set(Key::Rows, box.rows);
  fill.set(Key::Columns, box.columns);
  fill.set(Key::Agent, static_cast<std::int64_t>(ring.by));
  b.append(std::move(fill));
}

Operation load_from(Builder& b, const Operation& load, ValueId slot, const StagedBox& box) {
  ValueId zero = b.constant(Elem::S32, 0);
  Operation staged = load;
  staged.in = {slot, zero, zero, zero};
  std::erase_if(staged.attrs, [](const Attr& a) { return a.key == Key::Stream; });
  std::erase_if(staged.attrs, [](const Attr& a) { return a.key == Key::Order; });
  staged.set(Key::Columns, box.columns);
  return staged;
}

ValueId clone_slice(Builder& b, const Region& region, ValueId v, ValueMap& map) {
  if (auto it = map.find(v); it != map.end()) return it->second;
  auto refuse = [](const Loc& loc) {
    fail(Diag::BadStructure, loc,
         "the position of a staged load is not computed from the loop's index",
         "compute it by arithmetic from the index and values from outside the loop");
  };
  if (std::find(region.args.begin(), region.args.end(), v) != region.args.end()) refuse(b.loc());
  for (const Operation& op : region.ops) {
    auto at = std::find(op.out.begin(), op.out.end(), v);
    if (at == op.out.end()) continue;
    if (!op.has(Pure) || !op.regions.empty()) refuse(op.loc);
    for (ValueId in : op.in) clone_slice(b, region, in, map);
    Operation copy = clone(b.kernel(), op, map);
    b.append(std::move(copy));
    return map.at(v);
  }
  return v;
}

}  // namespace barline::ir
