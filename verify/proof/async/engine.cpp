// SPDX-License-Identifier: Apache-2.0
// The play: every warp goes on until it has to wait; when none can, either all are done or none
// ever will be.
#include "verify/proof/async/engine.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <numeric>
#include <utility>

#include "verify/proof/async/tracer.h"

namespace barline::verify::proof::async {

int launch_registers(const ir::Kernel& k) {
  constexpr int of_multiprocessor = 65536, most = 248;
  if (k.launch.max_registers > 0) return k.launch.max_registers;
  int threads = k.launch.block_threads() * std::max(1, k.launch.min_ctas_per_sm);
  return std::min(of_multiprocessor / threads / 8 * 8, most);
}

static Components components_of(const ir::Kernel& k, const std::vector<BlockTraces>& blocks) {
  const int count = static_cast<int>(blocks.size());
  return {.agents = count * static_cast<int>(blocks[0].warps.size()),
          .gates = gate_count(k),
          .blocks = count};
}

Engine::Engine(const Plan& plan, Recorder& recorder, std::vector<BlockTraces> blocks,
               std::vector<TensorCells>& tensors, int run)
    : plan_(plan),
      k_(*plan.kernel),
      recorder_(recorder),
      blocks_(std::move(blocks)),
      tensors_(tensors),
      run_(run),
      at_(components_of(k_, blocks_)),
      clocks_(at_) {
  const int warps = static_cast<int>(blocks_[0].warps.size());
  for (int b = 0; b < at_.blocks; ++b)
    for (int w = 0; w < warps; ++w) {
      agents_.push_back({.block = b, .warp = w});
      agents_.back().registers = launch_registers(k_);
    }
  pool_.assign(blocks_.size(), 0);
  for (int b = 0; b < at_.blocks; ++b)
    for (int n = 0; n < at_.gates; ++n) {
      gates_.emplace_back();
      gates_.back().pending = gate_arrivals(k_, n);
      gates_.back().gathered.assign(static_cast<std::size_t>(at_.size()), 0);
    }
  prepare_slots();
}

static std::int64_t bytes_of(const ir::Slot& s) {
  return s.elem == ir::Elem::I1 ? s.extent : (s.extent * ir::bits(s.elem) + 7) / 8;
}

/// The pieces of each slot: the greatest that all accesses start and end between.
void Engine::prepare_slots() {
  std::vector<std::int64_t> piece(k_.slots.size());
  for (std::size_t s = 0; s < piece.size(); ++s) piece[s] = bytes_of(k_.slots[s]);
  for (const BlockTraces& b : blocks_)
    for (const Trace& t : b.warps)
      for (const Range& r : t.ranges)
        if (r.slot >= 0)
          piece[r.slot] = std::gcd(std::gcd(piece[r.slot], r.begin), std::int64_t{r.bytes});
  slots_.resize(blocks_.size());
  for (auto& of_block : slots_)
    for (std::size_t s = 0; s < piece.size(); ++s) {
      SlotCells cells;
      cells.piece = piece[s];
      cells.per_copy = (bytes_of(k_.slots[s]) + piece[s] - 1) / piece[s];
      cells.cells.resize(static_cast<std::size_t>(cells.per_copy * k_.slots[s].copies));
      of_block.push_back(std::move(cells));
    }
}

void Engine::run() {
  for (bool moved = true; moved;) {
    moved = false;
    for (int agent = 0; agent < at_.agents; ++agent)
      while (step(agent)) moved = true;
  }
  bool stuck = false;
  for (int agent = 0; agent < at_.agents; ++agent)
    stuck |= agents_[agent].at < trace(agent).events.size();
  if (stuck) return deadlock();
  ended();
}

/// Plays the agent's next event; false where it has none or has to wait.
bool Engine::step(int agent) {
  Agents& a = agents_[agent];
  const Trace& t = trace(agent);
  if (a.at >= t.events.size()) return false;
  const Event& e = t.events[a.at];
  switch (e.kind) {
    case EventKind::Access:
    case EventKind::Matrix: access(agent, e); break;
    case EventKind::Remote: remote(agent, e); break;
    case EventKind::Copy:
      access(agent, e);
      report_copy(agent, e);
      break;
    case EventKind::MatrixWait:
      clocks_.finish_matrices(agent, static_cast<std::uint32_t>(e.value));
      break;
    case EventKind::Arrive: arrive(agent, e); break;
    case EventKind::Await:
      if (!await(agent, e)) return false;
      break;
    case EventKind::Barrier: return barrier(agent, e);
    case EventKind::WarpSync: clocks_.warp_sync(agent); break;
    case EventKind::ProxyFence: clocks_.fence(agent, e.lanes); break;
    case EventKind::Registers:
      if (!registers(agent, e)) return false;
      break;
    case EventKind::ClusterArrive: cluster_arrive(agent, e); break;
    case EventKind::ClusterWait:
      if (!cluster_wait(agent, e)) return false;
      break;
  }
  ++a.at;
  clocks_.tick(agent);
  return true;
}

/// True where the agent completes the barrier: all that met there go on.
bool Engine::barrier(int agent, const Event& e) {
  Agents& a = agents_[agent];
  if (a.waits) return false;
  Meeting& m = meetings_[{a.block, static_cast<int>(e.value)}];
  const int warps = e.warps ? e.warps : static_cast<int>(blocks_[0].warps.size());
  if (!m.agents.empty() && m.warps != warps)
    finding(Property::Divergence, Verdict::Refuted, e.op, agent, 0,
            fmt::format("barrier {} is of {} warps here and of {} for a warp that waits there",
                        e.value, warps, m.warps));
  if (e.flies) clocks_.land(agent, e.lanes, e.count);
  a.waits = true;
  m.warps = warps;
  m.agents.push_back(agent);
  if (static_cast<int>(m.agents.size()) < warps) return false;
  std::vector<int> met = std::exchange(m.agents, {});
  std::sort(met.begin(), met.end());
  if (!m.last.empty() && m.last != met)
    finding(Property::Divergence, Verdict::Unknown, e.op, agent, 0,
            fmt::format("other warps than before meet at barrier {}: which ones is not fixed; give "
                        "each set of warps a number of its own",
                        e.value));
  m.last = met;
  Row all = clocks_.publish(met[0], all_lanes);
  for (std::size_t i = 1; i < met.size(); ++i) join(all, clocks_.publish(met[i], all_lanes));
  for (int other : met) {
    clocks_.replace(other, all);
    clocks_.tick(other);
    ++agents_[other].at;
    agents_[other].waits = false;
  }
  return true;
}

/// Registers given back are there for others; more of them are waited for.
bool Engine::registers(int agent, const Event& e) {
  Agents& a = agents_[agent];
  const std::int64_t more = (e.value - a.registers) * ir::warp_size;
  if (more > pool_[a.block]) return false;
  pool_[a.block] -= more;
  a.registers = e.value;
  return true;
}

void Engine::cluster_arrive(int agent, const Event& e) {
  Agents& a = agents_[agent];
  if (a.cluster_arrived > a.cluster_waited)
    finding(Property::Cluster, Verdict::Refuted, e.op, agent, 0,
            "a thread arrives at the cluster's barrier twice without a cluster_wait between");
  const auto generation = static_cast<std::size_t>(a.cluster_arrived++);
  if (cluster_rows_.size() <= generation) {
    cluster_rows_.resize(generation + 1);
    cluster_arrivals_.resize(generation + 1);
  }
  Row row = clocks_.publish(agent, all_lanes);
  if (cluster_rows_[generation].empty())
    cluster_rows_[generation] = std::move(row);
  else
    join(cluster_rows_[generation], row);
}

/// A thread that ends while others wait is not sure to be counted: every thread is to arrive.
bool Engine::cluster_wait(int agent, const Event& e) {
  Agents& a = agents_[agent];
  const int generation = a.cluster_waited;
  if (a.cluster_arrived <= generation) {
    finding(Property::Cluster, Verdict::Refuted, e.op, agent, 0,
            "a thread waits at the cluster's barrier without a cluster_arrive before");
    return true;
  }
  bool absent = false;
  for (int other = 0; other < at_.agents; ++other) {
    if (agents_[other].cluster_arrived > generation) continue;
    if (agents_[other].at < trace(other).events.size()) return false;
    absent = true;
  }
  if (absent)
    finding(Property::Cluster, Verdict::Refuted, e.op, agent, 0,
            "a warp has ended without a cluster_arrive that others wait for: let every thread of "
            "the cluster arrive");
  ++a.cluster_waited;
  clocks_.acquire(agent, all_lanes, cluster_rows_[static_cast<std::size_t>(generation)]);
  clocks_.warp_sync(agent);
  return true;
}

void Engine::finding(Property p, Verdict v, int op, int agent, int lane, std::string message,
                     int other_op, int other_thread) {
  ProofFinding f;
  f.property = p;
  f.verdict = v;
  f.message = std::move(message);
  if (agent >= 0) {
    f.threads[0] = thread(agent, lane);
    f.blocks[0] = blocks_[agents_[agent].block].ordinal;
  }
  f.threads[1] = other_thread;
  recorder_.add(std::move(f), op, other_op);
}

}  // namespace barline::verify::proof::async
