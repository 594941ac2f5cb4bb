// SPDX-License-Identifier: Apache-2.0
#include "verify/interp/team_waits.h"

#include <fmt/format.h>
#include <algorithm>
#include <utility>

#include "verify/interp/machine.h"

namespace barline::verify::sim {
namespace {

void wake_all(Warp& w, WarpState state) {
  for (Warp& other : w.block->warps)
    if (other.state == state) w.worker->wake(other);
}

std::string registers_text(const Warp& w) {
  const Program& p = w.worker->program;
  return fmt::format("the block's pool of {} x {} registers has {} left", p.launch_registers,
                     p.geometry.block_threads(), w.block->free_registers);
}

std::size_t cluster_warps(const Cluster& c) { return c.blocks.size() * c.blocks[0]->warps.size(); }

/// Completes the cluster's barrier if all warps that run have arrived.
void complete_cluster(Cluster& c) {
  if (c.arrived + c.ended < cluster_warps(c)) return;
  c.arrived = c.ended = 0;
  c.released = std::exchange(c.arriving, nullptr);
  ++c.phase;
  for (const Block* b : c.blocks)
    for (const Warp& w : b->warps) c.ended += w.state == WarpState::Done;
  wake_cluster(c);
}

}  // namespace

void come_to_named(Warp& w, std::uint32_t id, std::int64_t warps) {
  NamedBarrier& n = w.block->named[id];
  for (const Warp* other : n.here) {
    if (other->pc == w.pc) continue;
    Finding f = finding_at(w, 0, FindingKind::BarrierDivergence,
                           fmt::format("warps come to barrier {} at different places", id));
    f.other = site_of(w.worker->program, other->pc - 1, other->id, 0);
    throw Halt{std::move(f)};
  }
  n.arriving = join(n.arriving, publish_warp(w));
  n.here.push_back(&w);
  if (static_cast<std::int64_t>(n.here.size()) < warps) {
    w.state = WarpState::AtNamed;
    w.barrier_id = id;
    return;
  }
  const NamedBarrier all = std::exchange(n, {});
  for (Warp* other : all.here) {
    learn(*other, ~Mask{0}, all.arriving);
    if (other != &w) w.worker->wake(*other);
  }
  ++w.worker->counts.barriers;
}

void arrive_at_cluster(Warp& w) {
  Cluster& c = *w.block->cluster;
  if (w.cluster_arrivals != w.cluster_waits)
    halt(w, 0, FindingKind::Protocol,
         "a second cluster_arrive without a cluster_wait for the first");
  ++w.cluster_arrivals;
  c.arriving = join(c.arriving, publish_warp(w));
  ++c.arrived;
  complete_cluster(c);
}

void leave_cluster(Warp& w) {
  Cluster& c = *w.block->cluster;
  if (w.cluster_arrivals != c.phase) return;  // it has arrived
  ++c.ended;
  if (c.ended < cluster_warps(c)) complete_cluster(c);
}

void wake_cluster(Cluster& c) {
  for (Block* b : c.blocks) wake_all(b->warps[0], WarpState::AtCluster);
}

bool cluster_waited(Warp& w) {
  const Cluster& c = *w.block->cluster;
  if (w.cluster_arrivals == w.cluster_waits)
    halt(w, 0, FindingKind::Protocol, "a cluster_wait without a cluster_arrive before it");
  if (c.phase == w.cluster_waits) return false;
  ++w.cluster_waits;
  learn(w, ~Mask{0}, c.released);
  return true;
}

bool take_registers(Warp& w, std::int32_t count) {
  const std::int32_t more = (count - w.register_count) * lanes;
  if (more > w.block->free_registers) return false;
  w.block->free_registers -= more;
  w.register_count = count;
  if (more < 0) wake_all(w, WarpState::AtRegisters);
  return true;
}

void require_remote_stores_seen(const Block& b) {
  if (b.remote_stores.empty()) return;
  SharedClock all;
  for (const Warp& w : b.warps)
    for (const LaneSync& s : w.sync) all = join(all, s.known);
  const auto warps = static_cast<std::uint32_t>(b.warps.size());
  for (const RemoteStore& s : b.remote_stores) {
    if (all && all->covers(s.warp, s.count, s.who, warps)) continue;
    const Program& p = b.warps[0].worker->program;
    Finding f = finding_at(b.warps[0], 0, FindingKind::Protocol,
                           "a block ends, and nothing puts another block's store to its shared "
                           "memory before that");
    f.here = site_of(p, s.pc, s.warp, std::countr_zero(s.who));
    throw Halt{std::move(f)};
  }
}

Finding stuck(const Warp& w) {
  auto at = [&](FindingKind kind, std::string message) {
    const int lane = std::countr_zero(w.mask);
    Finding f = finding_at(w, lane, kind, std::move(message));
    const bool again = w.state != WarpState::AtNamed && w.state > WarpState::Done;
    if (again) f.here = site_of(w.worker->program, w.pc, w.id, lane);  // it waits before the op
    return f;
  };
  const std::string all = "every warp waits: ";
  switch (w.state) {
    case WarpState::AtGate: return at(FindingKind::Deadlock, all + lacking(w, *w.gate));
    case WarpState::AtNamed:
      return at(FindingKind::Deadlock,
                all + fmt::format("barrier {} lacks warps, {} came", w.barrier_id,
                                  w.block->named[w.barrier_id].here.size()));
    case WarpState::AtCluster:
      return at(FindingKind::Deadlock,
                all + fmt::format("the cluster's barrier lacks {} of {} warps",
                                  cluster_warps(*w.block->cluster) - w.block->cluster->arrived -
                                      w.block->cluster->ended,
                                  cluster_warps(*w.block->cluster)));
    case WarpState::AtRegisters: return at(FindingKind::Deadlock, all + registers_text(w));
    default: return at(FindingKind::Deadlock, all + "the block's other warps do not come here");
  }
}

}  // namespace barline::verify::sim
