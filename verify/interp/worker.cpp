// SPDX-License-Identifier: Apache-2.0
// The scheduler of one host thread. It lets one ready warp run for a quantum, adversarially chosen,
// and completes barriers and reductions when all warps of a block have come. A kernel whose blocks
// do not talk runs block after block; otherwise several (all, if cooperative) are resident.
#include <fmt/format.h>
#include <algorithm>

#include "verify/interp/machine.h"

namespace barline::verify::sim {
namespace {

constexpr std::int64_t long_quantum = 512;
constexpr std::uint64_t patience =
    4096;  ///< fruitless trips that a waiting loop of a warp may take
constexpr std::size_t talking_blocks = 8;

/// Does `a` stand earlier in program order than `b`, counting trips of common loops?
bool stands_before(const Warp& a, const Warp& b) {
  for (std::size_t i = 0;; ++i) {
    bool a_ends = i == a.frames.size(), b_ends = i == b.frames.size();
    std::uint32_t at_a = a_ends ? a.pc : a.frames[i].pc, at_b = b_ends ? b.pc : b.frames[i].pc;
    if (at_a != at_b) return at_a < at_b;
    if (a_ends || b_ends) return a_ends && !b_ends;
    if (a.frames[i].trip != b.frames[i].trip) return a.frames[i].trip < b.frames[i].trip;
  }
}

}  // namespace

Worker::Worker(Machine& m, std::uint64_t seed)
    : machine(m), program(*m.program), random_state_(seed * 0x9E3779B97F4A7C15 + 1) {
  const SimOptions& o = *m.options;
  for (const Memory& memory : m.memories) {
    bool shadowed = memory.written && (o.detect_races || o.record_writers);
    bool packed = ir::bits(memory.tensor->elem) == 4;
    std::int64_t cells = packed ? (memory.count + 1) / 2 : memory.count;
    Shadow& s = shadows.emplace_back(shadowed ? cells : 0, memory.writes_only);
    s.require_order(o.detect_races);
  }
  reverse_lanes = o.order == WarpOrder::Reverse;
  std::size_t clusters = program.kernel->launch.cooperative ? m.block_order.size()
                         : program.blocks_talk              ? talking_blocks
                                                            : 1;
  residents_.resize(std::min(clusters, m.block_order.size()) * blocks_a_cluster());
}

std::uint64_t Worker::random() {  // xorshift64*
  random_state_ ^= random_state_ >> 12;
  random_state_ ^= random_state_ << 25;
  random_state_ ^= random_state_ >> 27;
  return random_state_ * 0x2545F4914F6CDD1D;
}

void Worker::run() {
  try {
    for (std::size_t i = 0; i < residents_.size(); i += blocks_a_cluster()) start_cluster(i);
    while (!ready_.empty()) {
      Warp& w = *choose();
      std::uint64_t spins = w.spins;
      run_quantum(w);
      after_quantum(w);
      watch_progress(w, spins);
      if (machine.refused_at.load(std::memory_order_relaxed) < residents_[0].position) return;
    }
    refuse_deadlock();
  } catch (Halt& h) {
    finding = std::move(h.finding);
    finding_position = residents_[0].position;
    std::int64_t seen = machine.refused_at.load();
    while (finding_position < seen &&
           !machine.refused_at.compare_exchange_weak(seen, finding_position)) {
    }
  }
}

std::size_t Worker::blocks_a_cluster() const {
  return static_cast<std::size_t>(program.kernel->launch.cluster);
}

/// Starts the next cluster in the places from `first` on. Its blocks count from one number on, so
/// that their shadows know each other's accesses as fresh.
void Worker::start_cluster(std::size_t first) {
  std::int64_t position = machine.next.fetch_add(1);
  if (position >= static_cast<std::int64_t>(machine.block_order.size())) return;
  auto cluster = std::make_shared<Cluster>();
  std::uint32_t count = 1;
  for (std::size_t i = 0; i < blocks_a_cluster(); ++i) {
    Resident& r = residents_[first + i];
    if (!r.block) r.block = make_block(*this);
    r.position = position;
    count = std::max(count, r.block->count);
    cluster->blocks.push_back(r.block.get());
  }
  for (std::size_t i = 0; i < blocks_a_cluster(); ++i) {
    Block& b = *cluster->blocks[i];
    b.cluster = cluster;
    b.rank = static_cast<std::uint32_t>(i);
    reset_block(
        b, *this, count,
        machine.block_order[static_cast<std::size_t>(position)] + static_cast<std::int64_t>(i));
    for (Warp& w : b.warps) ready_.push_back(&w);
  }
}

void Worker::wake(Warp& w) {
  w.state = WarpState::Ready;
  progress = true;
  ready_.push_back(&w);
}

/// The warp itself is at its end as after its last instruction.
void Worker::leave(Warp& w) {
  Block& b = *w.block;
  for (Warp& other : b.warps) {
    if (&other == &w || other.state == WarpState::Done) continue;
    const bool counted = other.state != WarpState::Ready && other.state < WarpState::Done;
    if (other.state == WarpState::Ready) {
      const auto at = std::find(ready_.begin(), ready_.end(), &other) - ready_.begin();
      ready_.erase(ready_.begin() + at);
      cursor_ -= static_cast<std::size_t>(at) < cursor_;
    }
    b.stopped += !counted;
    ++b.done;
    other.state = WarpState::Done;
  }
  w.state = WarpState::Done;
}

Warp* Worker::choose() {
  const SimOptions& o = *machine.options;
  std::size_t n = ready_.size();
  if (!o.syncs_placed)
    cursor_ = static_cast<std::size_t>(
        std::min_element(ready_.begin(), ready_.end(),
                         [](const Warp* a, const Warp* b) { return stands_before(*a, *b); }) -
        ready_.begin());
  else if (o.order == WarpOrder::Random)
    cursor_ = random() % n;
  else if (o.order == WarpOrder::Reverse)
    cursor_ = cursor_ == 0 || cursor_ > n ? n - 1 : cursor_ - 1;
  else
    cursor_ = cursor_ + 1 >= n ? 0 : cursor_ + 1;
  return ready_[cursor_];
}

void Worker::run_quantum(Warp& w) {
  const SimOptions& o = *machine.options;
  std::int64_t quantum = long_quantum;
  if (o.order == WarpOrder::Random) {
    quantum = 1 + static_cast<std::int64_t>(random() % 64);
    reverse_lanes = random() & 1;
  }
  const Inst* code = program.code.data();
  std::int64_t ops = 0;
  w.yield = false;
  for (steps_ = 0; steps_ < quantum; ++steps_) {
    const Inst& i = code[w.pc];
    if (!i.run) {
      w.state = WarpState::Done;
      break;
    }
    ++w.pc;
    ops += std::int64_t{w.mask == ~Mask{0} ? lanes : std::popcount(w.mask)} * i.weight;
    i.run(w, i);
    if (w.yield || w.state != WarpState::Ready) break;
  }
  counts.lane_ops += ops;
  counts.warp_steps += steps_ + 1;
  steps_ = 0;
  if (counts.warp_steps > o.max_steps)
    halt(w, 0, FindingKind::StepLimit,
         fmt::format("not at its end after {} warp instructions", o.max_steps));
}

void Worker::after_quantum(Warp& w) {
  if (w.state == WarpState::Ready) return;
  ready_.erase(ready_.begin() + static_cast<std::ptrdiff_t>(cursor_));
  if (machine.options->order == WarpOrder::RoundRobin && cursor_ > 0) --cursor_;
  progress = true;
  Block& b = *w.block;
  if (w.state > WarpState::Done) return;
  if (w.state == WarpState::Done) end_warp(w);
  if (++b.stopped < static_cast<int>(b.warps.size())) return;
  if (b.done == b.stopped)
    retire(b);
  else
    release(b);
}

/// All warps of the block have stopped, and some wait: they must wait at one place.
void Worker::release(Block& b) {
  refuse_stuck(b);
  bool barrier = b.warps[0].state == WarpState::AtBarrier;
  if (barrier) {
    complete_barrier(b);
    ++counts.barriers;
  } else {
    complete_reduction(b);
  }
  b.stopped = 0;
  for (Warp& w : b.warps) {
    w.state = WarpState::Ready;
    ready_.push_back(&w);
  }
}

void Worker::refuse_stuck(Block& b) {
  auto waiting = std::find_if(b.warps.begin(), b.warps.end(),
                              [](const Warp& w) { return w.state != WarpState::Done; });
  for (Warp& w : b.warps) {
    if (w.pc == waiting->pc && w.state == waiting->state) continue;
    bool ended = w.state == WarpState::Done;
    Finding f = finding_at(*waiting, 0, FindingKind::BarrierDivergence,
                           ended ? "threads of the block wait here, and others have ended"
                                 : "threads of one block wait at different places");
    if (!ended) f.other = site_of(program, w.pc - 1, w.id, 0);
    throw Halt{std::move(f)};
  }
}

void Worker::end_warp(Warp& w) {
  ++w.block->done;
  w.products.require_together(w);
  const Mask late = program.awaits_previous ? w.full & ~w.awaited_previous : 0;
  if (late)
    halt(w, std::countr_zero(late), FindingKind::Protocol,
         "a thread ends without having come to await_previous");
  leave_cluster(w);
}

void Worker::retire(Block& b) {
  require_settled(b);
  require_remote_stores_seen(b);
  b.ended = true;
  ++counts.blocks;
  for (const Block* other : b.cluster->blocks)
    if (!other->ended) return;
  for (std::size_t i = 0; i < residents_.size(); ++i)
    if (residents_[i].block.get() == b.cluster->blocks[0]) {
      for (std::size_t j = 0; j < blocks_a_cluster(); ++j) residents_[i + j].position = -1;
      return start_cluster(i);
    }
}

/// How much a warp that waits tells of why: most where bytes do not balance.
int Worker::tells(const Warp& w) {
  if (w.state == WarpState::Done) return 0;
  const bool bytes = w.state == WarpState::AtGate && w.gate->announced != w.gate->copied;
  return 1 + static_cast<int>(w.state) + bytes;
}

/// No warp runs any more: each block must have ended.
void Worker::refuse_deadlock() {
  const Warp* waits = nullptr;
  for (const Resident& r : residents_)
    for (std::size_t i = 0; r.position >= 0 && i < r.block->warps.size(); ++i) {
      const Warp& w = r.block->warps[i];
      if (tells(w) > (waits ? tells(*waits) : 0)) waits = &w;
    }
  if (waits) throw Halt{stuck(*waits)};
}

/// Warps that only take trips of loops that wait on memory, while memory stays as it is, wait
/// forever.
void Worker::watch_progress(const Warp& w, std::uint64_t spins_before) {
  if (progress || w.spin_depth == 0) {
    idle_spins_ = 0;
    progress = false;
    return;
  }
  idle_spins_ += w.spins - spins_before;
  if (idle_spins_ > patience * ready_.size())
    halt(w, std::countr_zero(w.mask), FindingKind::Deadlock,
         "every running warp waits for memory that nothing changes any more");
}

}  // namespace barline::verify::sim
