// SPDX-License-Identifier: Apache-2.0
#include "ir/passes/gated_rings_p.h"

#include <fmt/format.h>
#include <algorithm>
#include <set>

#include "ir/diagnostic.h"

namespace barline::ir {
namespace {

constexpr int swizzled_row = 128;  ///< bytes of a row that the matrix unit reads in place
constexpr int swizzle_align = 1024;
constexpr int copy_align = 128;     ///< bytes; of a slot that a tensor copy fills
constexpr int most_of_a_box = 256;  ///< elements along an axis that one copy brings

void check_box(const Kernel& k, const Ring& ring, const StagedBox& box, const Operation& load,
               bool in_place) {
  const std::vector<int>& axes = k.params[box.param].axes;
  for (std::size_t i = axes.size() > 2 ? axes.size() - 2 : axes.size(); i < axes.size(); ++i)
    if (k.axes[axes[i]].of >= 0)
      fail(Diag::BadSchedule, load.loc,
           fmt::format("ring '{}' by tma for a tensor of {} axes, one of them derived", ring.name,
                       axes.size()),
           "let lanes or cp.async load it");
  std::int64_t row = box.columns * bytes(box.elem);
  bool fits = in_place ? row % swizzled_row == 0 : row % 16 == 0 && box.columns <= most_of_a_box;
  if (fits && box.rows <= most_of_a_box) return;
  fail(Diag::BadSchedule, load.loc,
       fmt::format("ring '{}' by tma for boxes of {} rows of {} bytes", ring.name, box.rows, row),
       in_place ? "take a tile of at most 256 rows of a multiple of 128 bytes"
                : "take a tile of at most 256 rows and columns, rows of a multiple of 16 bytes");
}

int declare(Kernel& k, Slot s) {
  s.name = fresh_name(k, s.name);
  s.value = k.new_value(pointer(s.elem, Space::Shared), s.name);
  k.slots.push_back(std::move(s));
  return static_cast<int>(k.slots.size() - 1);
}

int declare_gate(Kernel& k, const std::string& name, int arrivals, int copies) {
  return declare(k, {.name = name,
                     .elem = Elem::U64,
                     .extent = 1,
                     .copies = copies,
                     .loc = {},
                     .arrivals = arrivals});
}

GatedBox declare_box(Kernel& k, const RingFacts& facts, const Ring& ring, const Operation& load,
                     bool in_place) {
  StagedBox box = staged_box(k, facts, load);
  check_box(k, ring, box, load, in_place);
  int slot = declare(k, {.name = ring.name + "_ring",
                         .elem = box.elem,
                         .extent = box.rows * box.columns,
                         .copies = ring.slots,
                         .loc = load.loc,
                         .align = in_place ? swizzle_align : copy_align});
  std::int64_t panel = in_place ? swizzled_row / bytes(box.elem) : box.columns;
  return {load, box, slot, panel, in_place};
}

ValueId slot_at(Builder& b, int slot, ValueId use) {
  return b.emit(Op::SlotAt, {b.kernel().slots[slot].value, use});
}

ValueId phase_of(Builder& b, const GateGroup& g, ValueId use) {
  return b.binary(Op::Div, use, b.constant(Elem::S32, g.slots));
}

/// What defines the gated loads of a loop's body that are the same in every trip.
std::set<ValueId> fixed_boxes(const Kernel& k, const Region& body) {
  std::set<ValueId> changes(body.args.begin(), body.args.end()), needed;
  for (const Operation& op : body.ops) {
    bool gated = is_gated(k, op), pure = op.has(Pure) && op.regions.empty();
    bool fixed =
        std::none_of(op.in.begin(), op.in.end(), [&](ValueId v) { return changes.contains(v); });
    if (!fixed || (!pure && !gated))
      changes.insert(op.out.begin(), op.out.end());
    else if (gated)
      needed.insert(op.out[0]);
  }
  for (auto op = body.ops.rbegin(); op != body.ops.rend(); ++op)
    if (!op->out.empty() && needed.contains(op->out[0]))
      needed.insert(op->in.begin(), op->in.end());
  return needed;
}

}  // namespace

std::int64_t GateGroup::bytes() const {
  std::int64_t sum = 0;
  for (const GatedBox& b : boxes) sum += b.box.rows * b.box.columns * ir::bytes(b.box.elem);
  return sum;
}

bool is_gated(const Kernel& k, const Operation& op) {
  const Ring* ring = ring_of(k, op);
  return ring && ring->by == Agent::Tma;
}

void lift_fixed_boxes(Kernel& k, Region& r) {
  std::vector<Operation> ops;
  for (Operation& op : r.ops) {
    for (Region& sub : op.regions) lift_fixed_boxes(k, sub);
    if (op.is(Op::For)) {
      const std::set<ValueId> lifted = fixed_boxes(k, op.regions[0]);
      std::vector<Operation> stay;
      for (Operation& inner : op.regions[0].ops) {
        bool lifts = !inner.out.empty() && lifted.contains(inner.out[0]);
        (lifts ? ops : stay).push_back(std::move(inner));
      }
      op.regions[0].ops = std::move(stay);
    }
    ops.push_back(std::move(op));
  }
  r.ops = std::move(ops);
}

GateGroup declare_group(Kernel& k, const RingFacts& facts, const std::vector<Operation>& loads,
                        const std::vector<bool>& in_place, int readers) {
  GateGroup g;
  g.slots = ring_of(k, loads[0])->slots;
  std::string names;
  for (std::size_t i = 0; i < loads.size(); ++i) {
    const Ring ring = *ring_of(k, loads[i]);
    if (ring.by != Agent::Tma || ring.slots != g.slots)
      fail(Diag::BadSchedule, loads[i].loc,
           fmt::format("ring '{}' of {} slots by {} beside one of {} slots by tma", ring.name,
                       ring.slots,
                       spellings(AttrKind::AgentKind)[static_cast<std::size_t>(ring.by)], g.slots),
           "let tma fill all operands of a product, through equally many slots");
    g.boxes.push_back(declare_box(k, facts, ring, loads[i], in_place[i]));
    names += (names.empty() ? "" : "_") + ring.name;
  }
  g.full = declare_gate(k, names + "_full", 1, g.slots);
  if (readers > 0) g.empty = declare_gate(k, names + "_empty", readers, g.slots);
  return g;
}

ValueId emit_announce(Builder& b, const GateGroup& g, ValueId use) {
  if (g.empty >= 0) {
    ValueId before = b.binary(Op::Sub, phase_of(b, g, use), b.constant(Elem::S32, 1));
    b.append({.op = Op::Await,
              .in = {slot_at(b, g.empty, use), before},
              .out = {},
              .attrs = {},
              .regions = {},
              .loc = b.loc()});
  }
  ValueId full = slot_at(b, g.full, use);
  b.append({.op = Op::Arrive,
            .in = {full},
            .out = {},
            .attrs = {{Key::Bytes, g.bytes(), {}}},
            .regions = {},
            .loc = b.loc()});
  return full;
}

void emit_copies(Builder& b, const GateGroup& g, ValueId use, const std::vector<Operation>& loads,
                 const std::vector<bool>& brings, ValueId full) {
  if (std::find(brings.begin(), brings.end(), true) == brings.end()) return;
  if (full == no_value) full = slot_at(b, g.full, use);
  ValueId zero = b.constant(Elem::S32, 0);
  for (std::size_t i = 0; i < loads.size(); ++i) {
    if (!brings[i]) continue;
    const GatedBox& box = g.boxes[i];
    BoxOrigin at = origin_of(b, box.box, loads[i]);
    ValueId to = slot_at(b, box.slot, use);
    for (std::int64_t col = 0; col < box.box.columns; col += box.panel) {
      ValueId from = col ? b.binary(Op::Add, at.col, b.constant(Elem::S32, col)) : at.col;
      Operation copy{.op = Op::CopyTensor,
                     .in = {to, zero, loads[i].in[0], at.row, from, full},
                     .out = {},
                     .attrs = {},
                     .regions = {},
                     .loc = loads[i].loc};
      if (loads[i].in[1] != no_value) copy.in.push_back(loads[i].in[1]);
      if (col) copy.set(Key::Offset, col * box.box.rows);
      copy.set(Key::Rows, box.box.rows);
      copy.set(Key::Columns, box.panel);
      if (box.swizzled) copy.set(Key::Swizzled, 1);
      b.append(std::move(copy));
    }
  }
}

ValueId plane_of(Builder& b, const GatedBox& box, ValueId offset) {
  const Kernel& k = b.kernel();
  const std::vector<int>& axes = k.params[box.box.param].axes;
  if (axes.size() <= 2) return no_value;
  ValueId size = b.constant(Elem::S64, 1);
  for (std::size_t i = axes.size() - 2; i < axes.size(); ++i) {
    const Axis& a = k.axes[axes[i]];
    ValueId n =
        a.bound ? b.constant(Elem::S64, *a.bound) : b.cast(Elem::S64, k.axis_sizes[axes[i]]);
    size = b.binary(Op::Mul, size, n);
  }
  size = b.binary(Op::Max, size, b.constant(Elem::S64, 1));  // of an empty tensor nothing is copied
  return b.cast(Elem::S32, b.binary(Op::Div, offset, size));
}

void emit_take(Builder& b, const GateGroup& g, ValueId use) {
  b.append({.op = Op::Await,
            .in = {slot_at(b, g.full, use), phase_of(b, g, use)},
            .out = {},
            .attrs = {},
            .regions = {},
            .loc = b.loc()});
}

Operation load_from(Builder& b, const GatedBox& box, ValueId use, const Operation& load) {
  StagedBox panel = box.box;
  panel.columns = box.panel;
  Operation staged = load_from(b, load, slot_at(b, box.slot, use), panel);
  if (!box.swizzled) staged.set(Key::Swizzled, 0);
  if (box.panel < box.box.columns) staged.set(Key::Pitch, box.panel * box.box.rows);
  return staged;
}

void emit_release(Builder& b, const GateGroup& g, ValueId use) {
  if (g.empty < 0) return;
  b.emit(Op::WarpSync, {});
  append_if(b, b.emit(Op::Elect, scalar(Elem::I1), {}), [&] {
    b.append({.op = Op::Arrive,
              .in = {slot_at(b, g.empty, use)},
              .out = {},
              .attrs = {},
              .regions = {},
              .loc = b.loc()});
  });
}

}  // namespace barline::ir
