// SPDX-License-Identifier: Apache-2.0
// Memory accesses of the replay: bounds, alignment, initialisation, races and cost.
#include <fmt/format.h>
#include <algorithm>

#include "verify/proof/machine.h"
#include "verify/proof/meetings.h"

namespace barline::verify::proof {

using ir::Key;
using ir::Op;
using ir::Team;

namespace {

constexpr int widest_access = 16;  // bytes of the largest vector instruction

std::int64_t copy_of(std::int64_t use, int copies) {
  return use == any_use ? 0
                        : static_cast<std::int64_t>(static_cast<std::uint32_t>(use) %
                                                    static_cast<std::uint32_t>(copies));
}

std::int64_t copy_of(const Value* use, int copies, int thread) {
  return use ? static_cast<std::int64_t>(static_cast<std::uint32_t>(use->at(thread)) %
                                         static_cast<std::uint32_t>(copies))
             : 0;
}

/// True if `lanes` elements from an index in the value's range on lie within the extent.
bool inside(const Value& index, const Step& s, std::int64_t extent) {
  constexpr std::int64_t far = std::int64_t{1} << 60;
  return index.is_unknown() && index.lo > -far && index.hi < far && index.lo + s.offset >= 0 &&
         index.hi + s.offset + s.lanes <= extent;
}

/// True if the access is not aligned to its size.
bool misaligned(const Step& s, std::int64_t element) {
  if (s.lanes == 1) return false;
  int bytes = std::min(std::max(s.lanes * s.elem_bits / 8, 1), widest_access);
  return element * s.elem_bits % (8 * bytes) != 0;
}

}  // namespace

Entry Machine::entry(const Step& s, const Mask& mask, int thread) const {
  return {.epoch = epoch_,
          .warp_epoch = warp_epoch_[thread / ir::warp_size],
          .op = s.index,
          .thread = static_cast<std::uint16_t>(thread),
          .possible = mask.on[thread] != Yes,
          .block = static_cast<std::uint8_t>(ordinal_)};
}

Team Machine::team_of(const Value& v) const {
  if (v.is_uniform()) return Team::Cta;
  if (v.is_unknown()) return v.same;
  for (int t = 0; t < ids_.threads; ++t)
    if (v.lanes[t] != v.lanes[t - t % ir::warp_size] || v.lanes[t] == Maybe) return Team::Thread;
  return Team::Warp;
}

void Machine::access(const Step& s, const Mask& mask) {
  for (const Step& from : s.source) access(from, mask);
  const Value& index = values_[s.at];
  const Value* active = s.active == ir::no_value ? nullptr : &values_[s.active];
  const Value* use = s.use == ir::no_value ? nullptr : &values_[s.use];
  bool narrowed = active && !(active->is_uniform() && active->uniform);
  Mask narrow;
  if (narrowed) narrow = masked(mask, *active, false);
  const Mask& m = narrowed ? narrow : mask;
  ++number_;
  if (!s.counter || !state_.meetings) note_order(s, m);
  if (m.count) {
    if (s.slot >= 0)
      shared(s, m, index, use);
    else if (s.chosen != ir::no_value)
      chosen(s, m, index);
    else
      global(s, m, index);
    bool of_copy = s.slot < 0 && s.op->is(Op::CopyAsync);  // an op's cost is that of its slot
    if (state_.costs && ordinal_ == 0 && index.is_known() && !of_copy) cost(s, m, index, use);
  }
  result(s, narrowed ? narrow : mask, index, use);
  if (s.counter && state_.meetings && m.count) counter(s, m, index);
}

/// What is known of a loaded value: over which team it is one, and its type's range.
void Machine::result(const Step& s, const Mask& mask, const Value& index, const Value* use) {
  if (s.op->out.empty() || !wants(s.op->out[0])) return;
  Value& out = values_[s.op->out[0]];
  Team team = Team::Thread;
  if (s.touch == Touch::Read && !s.rows) {
    team = std::min(team_of(index), use ? team_of(*use) : Team::Cta);
    if (s.active != ir::no_value) team = std::min(team, team_of(values_[s.active]));
  }
  bool constant = s.param >= 0 && k_.params[s.param].access == ir::Access::In;
  std::uint64_t symbol = fresh_symbol(s);
  if (constant && index.is_uniform() && s.chosen == ir::no_value)
    symbol = mix(mix(mix(77, s.param), index.uniform), static_cast<std::uint64_t>(s.offset));
  (void)mask;
  ir::Type t = k_.type(s.op->out[0]);
  out.set_unknown(team, symbol);
  if (t.is_scalar()) set_type_range(out, t.elem);
}

bool Machine::in_bounds(const Step& s, const Entry& now, std::int64_t element, std::int64_t extent,
                        Property p) {
  if (element >= 0 && element + s.lanes <= extent) {
    if (!misaligned(s, element)) return true;
    state_.recorder.add_at(
        Property::Alignment, now.possible ? Verdict::Unknown : Verdict::Refuted, s, now, element,
        fmt::format("thread {} accesses {} elements at {}[{}], which is not aligned to them",
                    now.thread, s.lanes, state_.recorder.buffer_name(s), element));
    return false;
  }
  state_.recorder.add_at(p, now.possible ? Verdict::Unknown : Verdict::Refuted, s, now, element,
                         fmt::format("thread {} accesses {}[{}], which has {} elements", now.thread,
                                     state_.recorder.buffer_name(s),
                                     element < 0 ? element : element + s.lanes - 1, extent));
  return false;
}

// ---- shared memory
// -------------------------------------------------------------------------------

void Machine::shared(const Step& s, const Mask& mask, const Value& index, const Value* use) {
  int copies = k_.slots[s.slot].copies;
  if (copies == 1 && use && !use->is_known()) use = nullptr;  // it is the one copy all the same
  if (!index.is_known() || (use && !use->is_known())) return shared_unknown(s, mask, index, use);
  if (s.rows) return shared_rows(s, mask, index, use);
  std::int64_t extent = k_.slots[s.slot].extent;
  for (int t = 0; t < ids_.threads; ++t) {
    if (mask.on[t] == No) continue;
    Entry now = entry(s, mask, t);
    std::int64_t element = index.at(t) + s.offset, as = use ? use->at(t) : any_use;
    if (tracing_)
      trace_ = mix(mix(trace_, s.index * 1024 + t), copy_of(as, copies) << 40 ^ element);
    if (in_bounds(s, now, element, extent, Property::SharedBounds))
      shared_touch(s, now, as, element, s.lanes);
  }
  state_.recorder.count(static_cast<std::int64_t>(mask.count) * s.lanes);
}

/// load_matrix: lane 8i + j gives the start of row j of matrix i; the lanes 4j..4j+3 receive two of
/// its elements each, transposed each lane 4c + j/2 the one of column c.
void Machine::shared_rows(const Step& s, const Mask& mask, const Value& index, const Value* use) {
  const ir::Slot& info = k_.slots[s.slot];
  const bool transposed = s.op->attr(Key::Transpose) != 0;
  for (int t = 0; t < ids_.threads; ++t) {
    const int lane = t % ir::warp_size, warp = t - lane, row = lane % 8;
    if (mask.on[t] == No || lane >= s.rows || warp + ir::warp_size > ids_.threads) continue;
    std::int64_t start = index.at(t) + s.offset, as = use ? use->at(t) : any_use;
    if (tracing_)
      trace_ = mix(mix(trace_, s.index * 1024 + t), copy_of(as, info.copies) << 40 ^ start);
    if (!in_bounds(s, entry(s, mask, t), start, info.extent, Property::SharedBounds)) continue;
    const int each = transposed ? 1 : 2;
    for (int col = 0; col < 8; col += each) {
      const int receiver = warp + (transposed ? 4 * col + row / 2 : 4 * row + col / 2);
      if (mask.on[receiver] != No) shared_touch(s, entry(s, mask, receiver), as, start + col, each);
    }
  }
  state_.recorder.count(static_cast<std::int64_t>(mask.count) * s.rows / 4);
}

void Machine::shared_touch(const Step& s, const Entry& now, std::int64_t use, std::int64_t element,
                           int lanes) {
  SlotMemory& slot = slots_[s.slot];
  const std::int64_t copy = copy_of(use, k_.slots[s.slot].copies);
  auto [first, last] = slot.cells(copy, element, lanes);
  for (std::int64_t cell = first; cell <= last; ++cell) {
    Flight* flight = slot.flights().empty() ? nullptr : &slot.flights()[cell];
    if (flight && flight->issue.op >= 0 && in_flight(*flight)) [[unlikely]]
      shared_conflict(s, flight->issue, now, copy,
                      s.elem_bits >= 8 ? element + (cell - first) : element, true);
    if (flight && !s.source.empty()) *flight = {now, commits_[now.thread]};
    const Entry* old = slot.touch(cell, now, s.touch);
    if (state_.whole[s.slot]) {
      old = first_of(old, slot.unknown.conflict(now, s.touch));
      slot.any.add(now, s.touch);
    }
    if (old) [[unlikely]]
      shared_conflict(s, *old, now, copy, s.elem_bits >= 8 ? element + (cell - first) : element);
    std::uint8_t& written = slot.written(cell);
    if (s.reads && written != Yes) [[unlikely]]
      state_.recorder.add_at(
          Property::Uninitialised,
          written == Maybe || now.possible ? Verdict::Unknown : Verdict::Refuted, s, now, element,
          fmt::format("thread {} reads {}[{}], which {}", now.thread,
                      state_.recorder.buffer_name(s), element,
                      written == Maybe ? "may not be written" : "no thread has written"));
    if (is_write(s.touch) && written != Yes) written = now.possible ? Maybe : Yes;
    if (state_.lifetimes) shared_use(s, now, use, element, slot.cell(cell));
  }
}

/// A copy of a slot is read as the use that it was filled for: what an earlier use left there is
/// stale, though no two threads race for it. Where a write or its index is not sure, nothing is
/// said.
void Machine::shared_use(const Step& s, const Entry& now, std::int64_t use, std::int64_t element,
                         Cell& c) {
  if (is_write(s.touch)) {
    if (use != c.filled_as) c.filled_as = now.possible || state_.whole[s.slot] ? any_use : use;
    return;
  }
  if (use == c.filled_as || use == any_use || c.filled_as == any_use) [[likely]]
    return;
  Conflict stale{c.writer, now, false, guesses() > 1};
  stale.slot = s.slot;
  stale.element = element;
  stale.filled_as = c.filled_as;
  stale.read_as = use;
  state_.recorder.conflict(stale);
}

void Machine::shared_conflict(const Step& s, const Entry& old, const Entry& now, std::int64_t copy,
                              std::int64_t element, bool in_flight) {
  Conflict c{old, now, false, guesses() > 1};
  c.in_flight = in_flight;
  c.slot = s.slot;
  c.element = element;
  c.address = ir::slot_offset(k_, s.slot) + copy * ir::slot_pitch(k_.slots[s.slot]) +
              element * s.elem_bits / 8;
  state_.recorder.conflict(c);
}

/// An index that is not known may be any element of the slot (of the copy, where that is known).
void Machine::shared_unknown(const Step& s, const Mask& mask, const Value& index,
                             const Value* use) {
  if (!state_.whole[s.slot]) throw NeedsWhole{s.slot};
  SlotMemory& slot = slots_[s.slot];
  const ir::Slot& info = k_.slots[s.slot];
  if (flying(s, mask)) return;
  std::int64_t lo = 0, hi = info.extent - 1;
  bool bounded = inside(index, s, info.extent);
  if (bounded) lo = index.lo + s.offset, hi = index.hi + s.offset + s.lanes - 1;
  bool aligned = s.lanes == 1;
  for (int t = 0; t < ids_.threads; ++t) {
    if (mask.on[t] == No) continue;
    Entry now = entry(s, mask, t);
    now.possible = true;
    if (index.is_known() &&
        !in_bounds(s, now, index.at(t) + s.offset, info.extent, Property::SharedBounds))
      continue;
    if (!bounded && index.is_unknown())
      state_.recorder.add_at(Property::SharedBounds, Verdict::Unknown, s, now, -1,
                             fmt::format("an index of {} follows from data", info.name));
    if (!aligned && index.is_unknown())
      state_.recorder.add_at(
          Property::Alignment, Verdict::Unknown, s, now, -1,
          fmt::format("the index of a vector of {} follows from data", info.name));
    if (const Entry* old = slot.any.conflict(now, s.touch)) {
      Conflict c{*old, now, false, true};
      c.slot = s.slot;
      state_.recorder.conflict(c);
    }
    slot.any.add(now, s.touch);
    slot.unknown.add(now, s.touch);
    if (!s.reads) continue;
    std::int64_t copy = use ? (use->is_known() ? copy_of(use, info.copies, t) : -1) : 0;
    auto cells = slot.cells(0, lo, static_cast<int>(hi - lo + 1));
    if (slot.least_written(copy, cells.first, cells.second) != Yes)
      state_.recorder.add_at(
          Property::Uninitialised, Verdict::Unknown, s, now, -1,
          fmt::format("an element of {} that follows from data may not be written", info.name));
  }
}

/// Copies in flight where an index is not known: one to an unknown place, or any that an access to
/// an unknown place might meet. True if that is all there is to say.
bool Machine::flying(const Step& s, const Mask& mask) {
  int thread = 0;
  while (mask.on[thread] == No) ++thread;
  if (!s.source.empty()) {
    state_.recorder.add_at(Property::SharedRace, Verdict::Unknown, s, entry(s, mask, thread), -1,
                           "where an asynchronous copy goes follows from data");
    return true;
  }
  for (const Flight& f : slots_[s.slot].flights()) {
    if (f.issue.op < 0 || !in_flight(f)) continue;
    Conflict c{f.issue, entry(s, mask, thread), false, true};
    c.slot = s.slot;
    c.in_flight = true;
    state_.recorder.conflict(c);
    break;
  }
  return false;
}

// ---- global memory
// -------------------------------------------------------------------------------

std::int64_t Machine::tensor_extent(int param) const {
  std::int64_t n = 1;
  for (int a : k_.params[param].axes) n *= state_.sizes.axes[a];
  return n;
}

/// Through a choose: the parameter of its index, or, where that is not known, perhaps each.
void Machine::chosen(const Step& s, const Mask& mask, const Value& index) {
  const Value& which = values_[s.chosen];
  auto count = static_cast<std::int64_t>(s.params.size());
  if (which.is_uniform() && (which.uniform < 0 || which.uniform >= count)) {
    int thread = 0;
    while (mask.on[thread] == No) ++thread;
    return state_.recorder.add_at(Property::GlobalBounds,
                                  mask.on[thread] == Yes ? Verdict::Refuted : Verdict::Unknown, s,
                                  entry(s, mask, thread), -1,
                                  fmt::format("pointer {} of {} is chosen", which.uniform, count));
  }
  Step one = s;
  one.chosen = ir::no_value;
  Mask m = mask;
  if (!which.is_uniform())
    for (std::uint8_t& on : m.on)
      if (on == Yes) on = Maybe, m.sure = false;
  for (std::int64_t i = 0; i < count; ++i) {
    if (which.is_uniform() && which.uniform != i) continue;
    one.param = s.params[static_cast<std::size_t>(i)];
    global(one, m, index);
  }
}

void Machine::global(const Step& s, const Mask& mask, const Value& index) {
  if (plan_.waits) before_previous(s, mask);
  if (!index.is_known()) return global_unknown(s, index, mask);
  std::int64_t extent = tensor_extent(s.param);
  bool tracked = state_.tensors[s.param] != nullptr;
  for (int t = 0; t < ids_.threads; ++t) {
    if (mask.on[t] == No) continue;
    std::int64_t element = index.at(t) + s.offset;
    Entry now = entry(s, mask, t);
    if (!in_bounds(s, now, element, extent, Property::GlobalBounds) || !tracked) continue;
    for (int l = 0; l < s.lanes; ++l) global_touch(s, now, element + l);
  }
  if (s.lanes > 1)
    state_.recorder.precondition(
        fmt::format("{} is aligned to {} bytes", state_.recorder.buffer_name(s),
                    std::min(std::max(s.lanes * s.elem_bits / 8, 1), widest_access)));
  state_.recorder.count(static_cast<std::int64_t>(mask.count) * s.lanes);
}

void Machine::global_touch(const Step& s, const Entry& now, std::int64_t element) {
  std::int64_t cell = s.elem_bits >= 8 ? element : element * s.elem_bits / 8;
  if (state_.meetings) state_.meetings->touch(s, now, cell, number_);
  auto hits = state_.tensors[s.param]->touch(cell, now, s.touch, s.device_scope);
  if (!hits.same && !hits.other) return;
  for (bool across : {false, true}) {
    const Entry* old = across ? hits.other : hits.same;
    if (!old) continue;
    Conflict c{*old, now, across, across ? state_.decisions.taken() > 0 : guesses() > 1};
    c.param = s.param;
    c.element = element;
    c.address = element * s.elem_bits / 8;
    state_.recorder.conflict(c);
  }
}

void Machine::global_unknown(const Step& s, const Value& index, const Mask& mask) {
  const std::string name = state_.recorder.buffer_name(s);
  if (!inside(index, s, tensor_extent(s.param)))
    state_.recorder.precondition(fmt::format(
        "indices of {} that follow from data are within it ({})", name, ir::to_string(s.op->loc)));
  if (!state_.tensors[s.param]) return;
  if (!plan_.weak_param[s.param]) return;  // strong accesses do not race
  int thread = 0;
  while (mask.on[thread] == No) ++thread;
  state_.recorder.add_at(
      Property::GlobalRace, Verdict::Unknown, s, entry(s, mask, thread), -1,
      fmt::format("an index of {}, which the kernel writes, follows from data", name));
}

// ---- cost
// ----------------------------------------------------------------------------------------

void Machine::cost(const Step& s, const Mask& mask, const Value& index, const Value* use) {
  bool shared = s.slot >= 0;
  int copies = shared ? k_.slots[s.slot].copies : 1;
  if (use && !use->is_known()) return;
  int bytes = std::max(s.lanes * s.elem_bits / 8, 1);
  std::int64_t base = shared ? ir::slot_offset(k_, s.slot) : 0;
  std::int64_t pitch = shared ? ir::slot_pitch(k_.slots[s.slot]) : 0;
  AccessCost& c = state_.recorder.cost(s);
  std::vector<std::int64_t> addresses;
  std::vector<int> lanes;
  for (int w = 0; w < ids_.threads; w += ir::warp_size) {
    addresses.clear();
    lanes.clear();
    for (int t = w; t < std::min(w + ir::warp_size, ids_.threads); ++t) {
      if (mask.on[t] == No || (s.rows && t - w >= s.rows)) continue;
      std::int64_t e = index.at(t) + s.offset;
      if (e < 0) continue;
      addresses.push_back(base + copy_of(use, copies, t) * pitch + e * s.elem_bits / 8);
      lanes.push_back(t - w);
    }
    if (addresses.empty()) continue;
    ++c.requests;
    if (shared) {
      BankCost b = bank_cost(addresses, lanes, bytes);
      c.max_ways = std::max(c.max_ways, b.ways);
      c.extra_cycles += b.extra_cycles;
    } else {
      std::int64_t touched = sectors(addresses, bytes);
      c.sectors += touched;
      c.ideal_sectors += std::min<std::int64_t>(
          touched, (static_cast<std::int64_t>(addresses.size()) * bytes + 31) / 32);
    }
  }
}

}  // namespace barline::verify::proof
