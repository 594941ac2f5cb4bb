// SPDX-License-Identifier: Apache-2.0
// Memory accesses of a warp: what bytes each lane touches, and whether they are there.
#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "verify/proof/async/tracer.h"

namespace barline::verify::proof::async {

using ir::Key;
using ir::Op;

namespace {

constexpr int widest_access = 16;  // bytes of the largest vector instruction

std::int64_t extent_of(const ir::Kernel& k, const Sizes& sizes, int param) {
  std::int64_t n = 1;
  for (int a : k.params[param].axes) n *= sizes.axes[a];
  return n;
}

int bytes_of(const Step& s) { return std::max(s.lanes * s.elem_bits / 8, 1); }

ir::Team team_of(const Value& v) {
  if (v.is_uniform()) return ir::Team::Warp;
  if (v.is_unknown()) return v.same;
  for (std::int64_t x : v.lanes)
    if (x != v.lanes[0] || x == Maybe) return ir::Team::Thread;
  return ir::Team::Warp;
}

}  // namespace

void Tracer::access(const Step& s, Lanes lanes) {
  if (s.op->is(Op::CopyBulk) || s.op->is(Op::CopyTensor)) return copies(s, lanes);
  for (const Step& from : s.source) access(from, lanes);
  if (s.rows) whole_warp(s, lanes);
  bool possible = possible_;
  if (s.active != ir::no_value) {
    const Value& active = value(s.active);
    if (active.is_known())
      lanes &= where(active);
    else
      possible = true;
  }
  if (lanes && s.slot >= 0)
    s.rows ? rows(s, lanes, possible) : shared(s, lanes, possible);
  else if (lanes)
    global(s, lanes, possible);
  if (lanes && state_.costs) cost(s, lanes);
  result(s);
}

/// What is known of a loaded value: whether lanes share it, and its type's range.
void Tracer::result(const Step& s) {
  if (s.op->out.empty() || !wants(s.op->out[0])) return;
  ir::Team team = ir::Team::Thread;
  if (s.touch == Touch::Read && !s.rows) {
    team = team_of(value(s.at));
    for (ir::ValueId v : {s.use, s.active})
      if (v != ir::no_value) team = std::min(team, team_of(value(v)));
  }
  Value& out = state_.values[s.op->out[0]];
  out.set_unknown(std::min(team, ir::Team::Warp));
  ir::Type t = k_.type(s.op->out[0]);
  if (t.is_scalar()) set_type_range(out, t.elem);
}

bool Tracer::in_bounds(const Step& s, int lane, std::int64_t element, std::int64_t extent,
                       Property p) {
  Verdict v = possible_ ? Verdict::Unknown : Verdict::Refuted;
  if (element < 0 || element + s.lanes > extent) {
    finding(p, v, s, lane,
            fmt::format("thread {} accesses {}[{}], which has {} elements", ids_.first + lane,
                        state_.recorder.buffer_name(s),
                        element < 0 ? element : element + s.lanes - 1, extent));
    return false;
  }
  if (s.lanes == 1 || element * s.elem_bits % (8 * std::min(bytes_of(s), widest_access)) == 0)
    return true;
  finding(Property::Alignment, v, s, lane,
          fmt::format("thread {} accesses {} elements at {}[{}], which is not aligned to them",
                      ids_.first + lane, s.lanes, state_.recorder.buffer_name(s), element));
  return false;
}

Range Tracer::range(const Step& s, int lane, std::int64_t element, int lanes) const {
  Range r;
  r.lane = static_cast<std::uint8_t>(lane);
  r.slot = static_cast<std::int16_t>(s.slot);
  r.param = static_cast<std::int16_t>(s.slot >= 0 ? -1 : s.param);
  r.begin = element * s.elem_bits / 8;
  r.bytes = static_cast<std::int32_t>(((element + lanes) * s.elem_bits + 7) / 8 - r.begin);
  if (s.slot >= 0 && s.use != ir::no_value) {
    int copies = k_.slots[s.slot].copies;
    const Value& use = value(s.use);
    r.use = use.is_known() ? use.at(lane) : any_use;
    r.copy = static_cast<std::int16_t>(
        copies == 1 ? 0 : static_cast<std::uint32_t>(r.use) % static_cast<std::uint32_t>(copies));
  }
  return r;
}

/// Of an index or a use that follows from data: nothing can be said of the slot.
bool Tracer::known_place(const Step& s, Lanes lanes) {
  const ir::Slot& slot = k_.slots[s.slot];
  const bool known = value(s.at).is_known() &&
                     (s.use == ir::no_value || value(s.use).is_known() || slot.copies == 1);
  if (!known)
    finding(Property::SharedRace, Verdict::Unknown, s, std::countr_zero(lanes),
            fmt::format("an index of {} follows from data", slot.name));
  return known;
}

void Tracer::shared(const Step& s, Lanes lanes, bool possible) {
  const ir::Slot& slot = k_.slots[s.slot];
  const Value& index = value(s.at);
  if (!known_place(s, lanes)) return;
  bool remote = s.op->is(Op::StoreRemote);
  Event& e = add(remote ? EventKind::Remote : EventKind::Access, s, lanes);
  e.write = is_write(s.touch);
  e.strong = is_strong(s.touch);
  e.possible = possible;
  e.flies = !s.source.empty();
  if (e.flies) e.value = commits_;
  if (remote) e.value = at(s, s.op->in[2], std::countr_zero(lanes), "the block of a remote store");
  const std::int64_t rank = e.value;
  for (int l = 0; l < ir::warp_size; ++l) {
    if (!(lanes >> l & 1)) continue;
    if (remote && value(s.op->in[2]).at(l) != rank)
      undecided(s, "lanes of a warp store to different blocks");
    std::int64_t element = index.at(l) + s.offset;
    if (in_bounds(s, l, element, slot.extent, Property::SharedBounds))
      trace_.ranges.push_back(range(s, l, element, s.lanes));
  }
  Event& done = trace_.events.back();
  done.count = static_cast<std::uint32_t>(trace_.ranges.size()) - done.first;
}

/// load_matrix, store_matrix: lane 8i + j gives the start of row j of matrix i; the lanes
/// 4j..4j+3 have two of its elements each, transposed each lane 4c + j/2 the one of column c.
void Tracer::rows(const Step& s, Lanes lanes, bool possible) {
  const ir::Slot& slot = k_.slots[s.slot];
  const Value& index = value(s.at);
  if (!known_place(s, lanes)) return;
  Event& e = add(EventKind::Access, s, lanes);
  e.write = is_write(s.touch);
  e.possible = possible;
  const bool transposed = s.op->attr(Key::Transpose) != 0;
  const int each = transposed ? 1 : 2;
  for (int lane = 0; lane < std::min(s.rows, ir::warp_size); ++lane) {
    const int row = lane % 8;
    std::int64_t start = index.at(lane) + s.offset;
    if (!in_bounds(s, lane, start, slot.extent, Property::SharedBounds)) continue;
    for (int col = 0; col < 8; col += each) {
      int holder = transposed ? 4 * col + row / 2 : 4 * row + col / 2;
      Range r = range(s, lane, start + col, each);
      r.lane = static_cast<std::uint8_t>(holder);
      trace_.ranges.push_back(r);
    }
  }
  Event& done = trace_.events.back();
  done.count = static_cast<std::uint32_t>(trace_.ranges.size()) - done.first;
}

void Tracer::global(const Step& s, Lanes lanes, bool possible) {
  const bool write = is_write(s.touch);
  Step one = s;
  if (s.chosen != ir::no_value) {
    const Value& which = value(s.chosen);
    bool known = which.is_uniform() && which.uniform >= 0 &&
                 which.uniform < static_cast<std::int64_t>(s.params.size());
    if (!known)
      return finding(Property::GlobalBounds, Verdict::Unknown, s, std::countr_zero(lanes),
                     "which pointer is chosen is not known");
    one.param = s.params[static_cast<std::size_t>(which.uniform)];
  }
  before_previous(s, lanes, write, one.param);
  const Value& index = value(s.at);
  const std::string& name = k_.params[one.param].name;
  if (!index.is_known()) {
    state_.recorder.precondition(fmt::format(
        "indices of {} that follow from data are within it ({})", name, ir::to_string(s.op->loc)));
    if (plan_.written[one.param] && plan_.weak_param[one.param])
      finding(Property::GlobalRace, Verdict::Unknown, s, std::countr_zero(lanes),
              fmt::format("an index of {}, which the kernel writes, follows from data", name));
    return;
  }
  Event* e = nullptr;
  if (plan_.written[one.param]) {
    e = &add(EventKind::Access, s, lanes);
    e->write = write;
    e->strong = is_strong(s.touch);
    e->possible = possible;
  }
  std::int64_t extent = extent_of(k_, state_.sizes, one.param);
  for (int l = 0; l < ir::warp_size; ++l) {
    if (!(lanes >> l & 1)) continue;
    std::int64_t element = index.at(l) + s.offset;
    if (in_bounds(one, l, element, extent, Property::GlobalBounds) && e)
      trace_.ranges.push_back(range(one, l, element, s.lanes));
  }
  if (e) e->count = static_cast<std::uint32_t>(trace_.ranges.size()) - e->first;
  if (s.lanes > 1)
    state_.recorder.precondition(
        fmt::format("{} is aligned to {} bytes", name, std::min(bytes_of(s), widest_access)));
}

/// Before its wait for the grid before, a thread writes nothing, and reads only what no grid that
/// may still run writes.
void Tracer::before_previous(const Step& s, Lanes lanes, bool write, int param) {
  if (!plan_.waits) return;
  if (param == ir::region_buffer(k_))
    return state_.recorder.precondition("each launch has a buffer of samples of its own");
  for (int l = 0; l < ir::warp_size; ++l) {
    if (!(lanes >> l & 1) || awaited_[l]) continue;
    const std::string& name = k_.params[param].name;
    if (write || plan_.written[param])
      return finding(Property::DependentLaunch, Verdict::Refuted, s, l,
                     fmt::format("thread {} {} {} before await_previous, while the grid before may "
                                 "still use it",
                                 ids_.first + l, write ? "writes" : "reads", name));
    state_.recorder.precondition(
        fmt::format("the grid before does not write {}, which is read beside it", name));
    return;
  }
}

// ---- copies that report to a gate

bool Tracer::aligned(const Step& s, int lane, std::int64_t bytes, std::int64_t to) {
  std::int64_t known = 16;  // of the block's shared memory, or of a tensor
  for (const ir::Slot& slot : k_.slots) known = std::max<std::int64_t>(known, slot.align);
  if (bytes % to == 0 && to <= known) return true;
  finding(Property::Alignment, Verdict::Refuted, s, lane,
          fmt::format("{} at byte {} of {}, which is not known to be a multiple of {}",
                      ir::name(s.op->op), bytes, state_.recorder.buffer_name(s), to));
  return false;
}

void Tracer::copies(const Step& s, Lanes lanes) {
  for (int l = 0; l < ir::warp_size; ++l)
    if (lanes >> l & 1) copy(s, l);
}

void Tracer::copy(const Step& s, int lane) {
  const ir::Slot& slot = k_.slots[s.slot];
  const bool tensor = s.op->is(Op::CopyTensor);
  std::int64_t element = at(s, s.at, lane, "where a copy goes") + s.offset;
  if (s.use != ir::no_value) at(s, s.use, lane, "which copy of a slot is filled");
  if (element < 0 || element + s.lanes > slot.extent)
    return finding(Property::SharedBounds, Verdict::Refuted, s, lane,
                   fmt::format("a copy of {} elements goes to {}[{}], which has {} elements",
                               s.lanes, slot.name, element, slot.extent));
  Range to = range(s, lane, element, s.lanes);
  std::int64_t align = !tensor ? 16 : s.op->attr(Key::Swizzled) ? 1024 : 128;
  std::int64_t start = ir::slot_offset(k_, s.slot) + to.copy * ir::slot_pitch(slot) + to.begin;
  if (!aligned(s, lane, start, align) || !aligned(s, lane, to.bytes, 16)) return;
  if (!tensor) {
    Step from = s.source[0];
    std::int64_t source = at(s, from.at, lane, "where a copy comes from");
    if (from.chosen != ir::no_value)
      from.param =
          from.params[static_cast<std::size_t>(at(s, from.chosen, lane, "which tensor is copied"))];
    from.lanes = 1;  // its alignment is that of the copy
    if (!in_bounds(from, lane, source, extent_of(k_, state_.sizes, from.param) - s.lanes + 1,
                   Property::GlobalBounds) ||
        !aligned(from, lane, source * s.elem_bits / 8, 16))
      return;
    state_.recorder.precondition(
        fmt::format("{} is aligned to 16 bytes", k_.params[from.param].name));
  }
  for (int p : s.copied) {
    if (plan_.written[p])
      finding(Property::GlobalRace, Verdict::Unknown, s, lane,
              fmt::format("{}, which the kernel writes, is copied", k_.params[p].name));
    before_previous(s, Lanes{1} << lane, false, p);
  }
  if (s.gate.slot < 0 || !k_.slots[s.gate.slot].is_gate())
    return finding(Property::Gates, Verdict::Refuted, s, lane,
                   "a copy reports to something that is no gate");
  int number = gate_number(s, lane);
  Event& e = add(EventKind::Copy, s, Lanes{1} << lane);
  e.write = true;
  e.gate = number;
  e.value = to.bytes;
  e.count = 1;
  trace_.ranges.push_back(to);
}

// ---- cost

void Tracer::cost(const Step& s, Lanes lanes) {
  const Value& index = value(s.at);
  const Value* use = s.use == ir::no_value ? nullptr : &value(s.use);
  bool of_copy = s.slot < 0 && s.op->is(Op::CopyAsync);  // an op's cost is that of its slot
  if (of_copy || !index.is_known() || (use && !use->is_known())) return;
  std::vector<std::int64_t> addresses;
  std::vector<int> active;
  for (int l = 0; l < ir::warp_size; ++l) {
    std::int64_t e = index.at(l) + s.offset;
    if (!(lanes >> l & 1) || (s.rows && l >= s.rows) || e < 0) continue;
    Range r = range(s, l, e, s.lanes);
    std::int64_t base =
        s.slot < 0 ? 0 : ir::slot_offset(k_, s.slot) + r.copy * ir::slot_pitch(k_.slots[s.slot]);
    addresses.push_back(base + r.begin);
    active.push_back(l);
  }
  if (addresses.empty()) return;
  AccessCost& c = state_.recorder.cost(s);
  ++c.requests;
  if (s.slot >= 0) {
    BankCost b = bank_cost(addresses, active, bytes_of(s));
    c.max_ways = std::max(c.max_ways, b.ways);
    c.extra_cycles += b.extra_cycles;
  } else {
    std::int64_t touched = sectors(addresses, bytes_of(s));
    c.sectors += touched;
    c.ideal_sectors += std::min<std::int64_t>(
        touched, (static_cast<std::int64_t>(addresses.size()) * bytes_of(s) + 31) / 32);
  }
}

}  // namespace barline::verify::proof::async
