// SPDX-License-Identifier: Apache-2.0
// Syncs, gates, warpgroup ops and what orders grids, as one warp comes to them.
#include <fmt/format.h>

#include <bit>
#include <map>
#include <set>

#include "verify/proof/async/tracer.h"

namespace barline::verify::proof::async {

using ir::Key;
using ir::Op;

int gate_base(const ir::Kernel& k, int slot) {
  int n = 0;
  for (int i = 0; i < slot; ++i) n += k.slots[i].is_gate() ? k.slots[i].copies : 0;
  return n;
}

int gate_count(const ir::Kernel& k) { return gate_base(k, static_cast<int>(k.slots.size())); }

/// The slot whose copy has the number, which becomes that of the copy.
static const ir::Slot& gate_slot(const ir::Kernel& k, int& number) {
  std::size_t i = 0;
  for (; !k.slots[i].is_gate() || number >= k.slots[i].copies; ++i)
    if (k.slots[i].is_gate()) number -= k.slots[i].copies;
  return k.slots[i];
}

int gate_arrivals(const ir::Kernel& k, int number) { return gate_slot(k, number).arrivals; }

std::string gate_name(const ir::Kernel& k, int number) {
  const ir::Slot& s = gate_slot(k, number);
  return s.copies > 1 ? fmt::format("{}[{}]", s.name, number) : s.name;
}

void Tracer::sync(const Step& s, Lanes lanes) {
  if (s.op->has(ir::Convergent)) whole_warp(s, lanes);
  switch (s.op->op) {
    case Op::Barrier: return barrier(s, lanes);
    case Op::WarpSync: add(EventKind::WarpSync, s, lanes); return;
    case Op::CommitCopies: ++commits_; return;
    case Op::Arrive:
    case Op::Await: return gate(s, lanes);
    case Op::ProxyFence: add(EventKind::ProxyFence, s, lanes); return;
    case Op::Wgmma:
    case Op::WgmmaSlots: return wgmma(s, lanes);
    case Op::WgmmaFence:
      fenced_ = true;
      for (std::size_t i = 0; i < s.op->out.size(); ++i)
        flight_[s.op->out[i]] = flight_[s.op->in[i]];
      return;
    case Op::WgmmaCommit:
      ++group_;
      open_ = 0;
      fenced_ = false;
      return;
    case Op::WgmmaWait: return wgmma_wait(s);
    case Op::SetRegisters: return registers(s);
    case Op::ClusterArrive: add(EventKind::ClusterArrive, s, lanes); return;
    case Op::ClusterWait: add(EventKind::ClusterWait, s, lanes); return;
    case Op::AwaitPrevious: return await_previous(s, lanes);
    default: return;  // release_next: what follows a later wait alone sees what this grid writes
  }
}

/// Where a sync stands under a condition that is not known, unknown_if has refused it.
void Tracer::whole_warp(const Step& s, Lanes lanes) {
  if (lanes == all_lanes) return;
  int present = std::countr_zero(lanes), absent = std::countr_one(lanes);
  finding(Property::Divergence, Verdict::Refuted, s, present,
          fmt::format("thread {} comes to {}, thread {} of its warp does not", ids_.first + present,
                      ir::name(s.op->op), ids_.first + absent));
}

void Tracer::barrier(const Step& s, Lanes lanes) {
  Event& e = add(EventKind::Barrier, s, lanes);
  e.warps = static_cast<int>(s.op->attr(Key::Warps));
  e.value = s.op->attr(Key::Id);
  if (const ir::Attr* pending = s.op->find(Key::Pending)) {
    e.flies = true;
    e.count = static_cast<std::uint32_t>(std::max<std::int64_t>(0, commits_ - pending->value));
  }
  bool numbered = e.warps > 0;
  if (numbered && (e.value < 1 || e.value > 15))
    finding(Property::Divergence, Verdict::Refuted, s, 0,
            fmt::format("there is no barrier {}: a block has numbers 1 to 15", e.value));
}

int Tracer::gate_number(const Step& s, int lane) {
  const ir::Slot& slot = k_.slots[s.gate.slot];
  std::int64_t use =
      s.gate.use == ir::no_value ? 0 : at(s, s.gate.use, lane, "which gate is meant");
  return gate_base(k_, s.gate.slot) + static_cast<int>(static_cast<std::uint32_t>(use) %
                                                       static_cast<std::uint32_t>(slot.copies));
}

/// Lanes that name one gate and one phase come to it together.
void Tracer::gate(const Step& s, Lanes lanes) {
  if (s.gate.slot < 0 || !k_.slots[s.gate.slot].is_gate()) {
    finding(Property::Gates, Verdict::Refuted, s, std::countr_zero(lanes),
            "this is no gate; declare the slot with 'gate'");
    throw Undecided{};
  }
  bool waits = s.op->is(Op::Await);
  for (Lanes left = lanes; left;) {
    int lane = std::countr_zero(left);
    int number = gate_number(s, lane);
    std::int64_t phase = waits ? at(s, s.op->in[1], lane, "the phase that is waited for") : 0;
    Lanes same = 0;
    for (int l = lane; l < ir::warp_size; ++l)
      if (left >> l & 1 && gate_number(s, l) == number &&
          (!waits || value(s.op->in[1]).at(l) == phase))
        same |= Lanes{1} << l;
    Event& e = add(waits ? EventKind::Await : EventKind::Arrive, s, same);
    e.gate = number;
    e.value = waits ? phase : s.op->attr(Key::Bytes);
    left &= ~same;
  }
}

void Tracer::await_previous(const Step& s, Lanes lanes) {
  for (int l = 0; l < ir::warp_size; ++l)
    if (lanes >> l & 1 && ++awaited_[l] == 2)
      finding(Property::DependentLaunch, Verdict::Refuted, s, l,
              "a thread waits for the grid before twice; wait once, outside of loops");
}

void Tracer::registers(const Step& s) {
  std::int64_t count = s.op->attr(Key::Registers);
  if (count < 24 || count > 256 || count % 8 != 0)
    finding(Property::Registers, Verdict::Refuted, s, 0,
            fmt::format("a thread cannot have {} registers; take a multiple of 8 from 24 to 256",
                        count));
  if (++registers_set_ == 2)
    finding(Property::Registers, Verdict::Unknown, s, 0,
            "a warp sets its registers twice, which this proof does not follow");
  add(EventKind::Registers, s, all_lanes).value = count;
}

void Tracer::wgmma(const Step& s, Lanes lanes) {
  if (!fenced_)
    finding(Property::Warpgroup, Verdict::Refuted, s, 0,
            "no wgmma_fence stands between the last group and this one's first wgmma");
  ++open_;
  Event& e = add(EventKind::Matrix, s, lanes);
  e.value = group_;
  const std::size_t index = trace_.events.size() - 1;
  int operand = s.matrices.size() == 2 ? 0 : 1;
  for (const Place& m : s.matrices) matrix(s, m, operand++);
  trace_.events[index].count =
      static_cast<std::uint32_t>(trace_.ranges.size()) - trace_.events[index].first;
  for (ir::ValueId v : s.op->out) flight_[v] = group_;
  if (!s.op->is(Op::Wgmma)) return;
  flight_[s.op->in[0]] = group_;
  read_.push_back({group_, s.op->in[0]});
}

/// The boxes of rows of 128 bytes that an operand stands in: a whole row, though a step takes a
/// part of it. Operand 0: a, 64 rows; 1: b, rows are n, or k where it is transposed.
void Tracer::matrix(const Step& s, const Place& m, int operand) {
  constexpr std::int64_t row = 128, block = 1024;
  const ir::Slot& slot = k_.slots[m.slot];
  const int bits = ir::bits(slot.elem);
  std::int64_t index = at(s, m.at, 0, "where a matrix stands");
  if (!value(m.at).is_uniform())
    for (int l = 1; l < ir::warp_size; ++l)
      if (value(m.at).at(l) != index)
        finding(Property::Warpgroup, Verdict::Refuted, s, l,
                "lanes of a warp disagree on where a matrix stands");
  if (operand == 1) index += s.op->attr(Key::Offset);
  const std::size_t first = s.matrices.size() == 2 ? 4 : 3;
  const auto n = static_cast<std::int64_t>(8 * (s.op->in.size() - first));
  bool transposed = operand == 1 && s.op->attr(Key::Transpose) != 0;
  std::int64_t begin = index * bits / 8 / block * block;
  std::int64_t rows = operand == 0 ? 64 : transposed ? 16 : n;
  std::int64_t panels = transposed ? (n + 63) / 64 : 1;
  if (transposed) begin = index * bits / 8 / row * row;
  Range r;
  r.slot = static_cast<std::int16_t>(m.slot);
  if (m.use != ir::no_value) r.use = at(s, m.use, 0, "which copy of a slot is meant");
  r.copy = static_cast<std::int16_t>(m.use == ir::no_value
                                         ? 0
                                         : static_cast<std::uint32_t>(r.use) %
                                               static_cast<std::uint32_t>(slot.copies));
  std::int64_t base = ir::slot_offset(k_, m.slot) + r.copy * ir::slot_pitch(slot);
  if (base % block != 0 || slot.align % block != 0)
    finding(Property::Alignment, Verdict::Refuted, s, 0,
            fmt::format("{} does not start at a multiple of 1024 bytes; declare it with 'align "
                        "1024'",
                        slot.name));
  for (std::int64_t p = 0; p < panels; ++p) {
    r.begin = begin + p * s.op->attr(Key::Pitch) * bits / 8;
    r.bytes = static_cast<std::int32_t>(rows * row);
    if (index < 0 || (r.begin + r.bytes) * 8 > slot.extent * bits) {
      finding(Property::SharedBounds, Verdict::Refuted, s, 0,
              fmt::format("a matrix takes bytes {} to {} of {}, which has {}", r.begin,
                          r.begin + r.bytes - 1, slot.name, slot.extent * bits / 8));
      return;
    }
    trace_.ranges.push_back(r);
  }
}

void Tracer::wgmma_wait(const Step& s) {
  const int pending = static_cast<int>(s.op->attr(Key::Pending));
  const int done = std::max(0, group_ - pending);
  add(EventKind::MatrixWait, s, all_lanes).value = done;
  for (std::size_t i = 0; i < s.op->out.size(); ++i) {
    if (flight_[s.op->in[i]] >= done) {
      finding(
          Property::Warpgroup, Verdict::Refuted, s, 0,
          fmt::format("an accumulator becomes a value while its group, one of the {} latest, is "
                      "in flight; wait with pending = 0",
                      group_ + (open_ > 0) - flight_[s.op->in[i]]));
      break;
    }
  }
  for (ir::ValueId v : s.op->out) flight_[v] = -1;
  held(s, done);
}

/// The groups that a wait ends have read their registers, and those were kept for them: the wait
/// takes them.
void Tracer::held(const Step& s, int done) {
  std::map<int, std::set<ir::ValueId>> needed, kept;
  std::erase_if(read_, [&](const std::pair<int, ir::ValueId>& r) {
    if (r.first >= done) return false;
    needed[r.first].insert(r.second);
    return true;
  });
  for (std::size_t i = s.op->out.size(); i < s.op->in.size(); ++i)
    kept[flight_[s.op->in[i]]].insert(s.op->in[i]);
  for (const auto& [group, values] : needed)
    if (kept[group].size() < values.size()) {
      finding(Property::Warpgroup, Verdict::Refuted, s, 0,
              fmt::format("{} of {} registers' values that its products read are not kept until "
                          "this wait; give them to it behind the accumulators",
                          values.size() - kept[group].size(), values.size()));
      return;
    }
}

/// What a warp must have done when it ends.
void Tracer::ended() {
  if (!plan_.waits && !plan_.releases) return;
  for (int l = 0; l < ir::warp_size; ++l)
    if (!awaited_[l]) return state_.recorder.no_wait_for_previous(ids_.first + l, block_);
}

}  // namespace barline::verify::proof::async
