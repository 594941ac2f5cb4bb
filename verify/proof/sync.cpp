// SPDX-License-Identifier: Apache-2.0
// Barriers, warp operations and fences of the replay.
#include <fmt/format.h>
#include <algorithm>

#include "verify/proof/machine.h"

namespace barline::verify::proof {

using ir::Key;
using ir::MemOrder;
using ir::MemScope;
using ir::Op;

namespace {

int first_with(const Mask& m, std::uint8_t value, int from, int to) {
  for (int t = from; t < to; ++t)
    if (m.on[t] == value) return t;
  return -1;
}

}  // namespace

void Machine::barrier(const Step& s, const Mask& mask) {
  ++epoch_;
  if (const ir::Attr* pending = s.op->find(Key::Pending)) {
    if (tracing_) trace_ = mix(trace_, static_cast<std::uint64_t>(pending->value) + 7);
    auto leaves = static_cast<std::uint32_t>(pending->value);
    for (int t = 0; t < ids_.threads; ++t)
      if (mask.on[t] == Yes && commits_[t] > leaves)
        landed_[t] = std::max(landed_[t], commits_[t] - leaves);
  }
  if (mask.full()) return;
  int threads = ids_.threads;
  int absent = first_with(mask, No, 0, threads), present = first_with(mask, Yes, 0, threads);
  ProofFinding f;
  f.property = Property::Divergence;
  f.verdict = absent >= 0 && present >= 0 ? Verdict::Refuted : Verdict::Unknown;
  f.threads[0] = present;
  f.threads[1] = absent;
  f.blocks[0] = f.blocks[1] = ordinal_;
  f.message =
      f.verdict == Verdict::Refuted
          ? fmt::format("thread {} comes to the barrier, thread {} does not", present, absent)
          : "whether all threads come to the barrier follows from data";
  state_.recorder.add(std::move(f), s.index);
}

/// A thread that may not come here counts as one that does not: its copies are then waited for
/// later, never earlier.
void Machine::commit(const Step& s, const Mask& mask) {
  if (tracing_) trace_ = mix(trace_, s.index);
  for (int t = 0; t < ids_.threads; ++t) commits_[t] += mask.on[t] == Yes;
}

void Machine::warp_op(const Step& s, const Mask& mask) {
  int threads = ids_.threads;
  if (threads % ir::warp_size != 0)
    state_.recorder.add_at(
        Property::Divergence, Verdict::Refuted, s, {}, -1,
        fmt::format("a block of {} threads is not a whole number of warps", threads));
  for (int w = 0; w * ir::warp_size < threads; ++w) {
    int from = w * ir::warp_size, to = std::min(from + ir::warp_size, threads);
    int counts[4] = {};
    for (int t = from; t < to; ++t) ++counts[mask.on[t]];
    int size = to - from;
    if (counts[Yes] == size) {
      if (s.op->is(Op::WarpSync)) ++warp_epoch_[w];
      continue;
    }
    if (counts[No] == size || counts[MaybeWarp] == size) continue;
    int present = first_with(mask, Yes, from, to), absent = first_with(mask, No, from, to);
    ProofFinding f;
    f.property = Property::Divergence;
    f.verdict = present >= 0 && absent >= 0 ? Verdict::Refuted : Verdict::Unknown;
    f.threads[0] = present;
    f.threads[1] = absent;
    f.blocks[0] = f.blocks[1] = ordinal_;
    f.message =
        f.verdict == Verdict::Refuted
            ? fmt::format("thread {} comes to the warp operation, thread {} of its warp does not",
                          present, absent)
            : "whether all lanes come to the warp operation follows from data";
    state_.recorder.add(std::move(f), s.index);
  }
}

void Machine::fence(const Step& s, const Mask& mask) {
  bool device = s.op->attr_as<MemScope>(Key::Scope) >= MemScope::Gpu;
  auto acquire = [&](FlagTimes& f) { f.first_acquire = std::min(f.first_acquire, epoch_); };
  for (int t = 0; t < ids_.threads; ++t) {
    if (mask.on[t] == No) continue;
    fenced_[t] = std::max<std::uint8_t>(fenced_[t], device ? 2 : 1);
    if (pending_[t] >= 1) acquire(state_.block_flags[ordinal_]);
    if (pending_[t] >= 2 && device) acquire(state_.device_flags[ordinal_]);
  }
}

/// Notes where an access that is not weak releases or acquires.
void Machine::note_order(const Step& s, const Mask& mask) {
  if (s.touch != Touch::StrongRead && s.touch != Touch::StrongWrite) return;
  auto order = s.op->attr_as<MemOrder>(Key::Order);
  bool reads = s.op->has(ir::Reads), writes = s.op->has(ir::Writes);
  std::uint8_t level = s.device_scope ? 2 : 1;
  FlagTimes* scopes[2] = {&state_.block_flags[ordinal_], &state_.device_flags[ordinal_]};
  for (int t = 0; t < ids_.threads; ++t) {
    if (mask.on[t] == No) continue;
    bool release = order == MemOrder::Release || order == MemOrder::AcqRel;
    bool acquire = order == MemOrder::Acquire || order == MemOrder::AcqRel;
    for (int scope = 0; scope < level; ++scope) {
      if (writes && (release || fenced_[t] > scope)) scopes[scope]->last_release = epoch_;
      if (reads && acquire)
        scopes[scope]->first_acquire = std::min(scopes[scope]->first_acquire, epoch_);
    }
    if (reads) pending_[t] = std::max(pending_[t], level);
  }
}

// ---- the grid before

void Machine::await_previous(const Step& s, const Mask& mask) {
  for (int t = 0; t < ids_.threads; ++t) {
    if (mask.on[t] == No) continue;
    if (mask.on[t] != Yes)
      return state_.recorder.add_at(Property::DependentLaunch, Verdict::Unknown, s,
                                    entry(s, mask, t), -1,
                                    "whether a thread waits for the grid before follows from data");
    if (awaited_[t]++ == 1)
      return state_.recorder.add_at(
          Property::DependentLaunch, Verdict::Refuted, s, entry(s, mask, t), -1,
          "a thread waits for the grid before twice; wait once, outside of loops");
  }
}

/// Before its wait a thread writes nothing, and reads only what no grid that may run writes.
void Machine::before_previous(const Step& s, const Mask& mask) {
  if (s.param == ir::region_buffer(k_))
    return state_.recorder.precondition("each launch has a buffer of samples of its own");
  const bool write = is_write(s.touch);
  for (int t = 0; t < ids_.threads; ++t) {
    if (mask.on[t] == No || awaited_[t]) continue;
    const std::string name = state_.recorder.buffer_name(s);
    if (write || plan_.written[s.param])
      return state_.recorder.add_at(
          Property::DependentLaunch, mask.on[t] == Yes ? Verdict::Refuted : Verdict::Unknown, s,
          entry(s, mask, t), -1,
          fmt::format("thread {} {} {} before await_previous, while the grid before may still use "
                      "it",
                      t, write ? "writes" : "reads", name));
    return state_.recorder.precondition(
        fmt::format("the grid before does not write {}, which is read beside it", name));
  }
}

void Machine::ended() {
  if (!plan_.waits && !plan_.releases) return;
  for (int t = 0; t < ids_.threads; ++t)
    if (!awaited_[t]) return state_.recorder.no_wait_for_previous(t, ordinal_);
}

}  // namespace barline::verify::proof
