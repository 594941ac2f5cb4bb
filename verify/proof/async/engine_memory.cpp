// SPDX-License-Identifier: Apache-2.0
// Races, first reads and stale reads. An access is compared with the last write of each piece of
// memory that it touches and with the reads since; whoever knows those knows the ones before.
#include <fmt/format.h>

#include <bit>

#include "verify/proof/async/engine.h"
#include "verify/proof/async/tracer.h"

namespace barline::verify::proof::async {

void add_other(Cell& c, const Record& r) {
  for (Record& old : c.others) {
    bool same = old.run == r.run && old.component == r.component && old.agent == r.agent &&
                old.write == r.write && old.strong == r.strong;
    if (!same) continue;
    if (old.stamp == r.stamp) {
      old.lanes |= r.lanes;
      return;
    }
    if ((old.lanes & ~r.lanes) == 0) {
      old = r;
      return;
    }
  }
  c.others.push_back(r);
}

Record Engine::record(int agent, const Event& e) const {
  Record r;
  r.op = e.op;
  r.warp = static_cast<std::uint16_t>(agent);
  r.run = static_cast<std::uint16_t>(run_);
  r.write = e.write;
  r.strong = e.strong;
  r.possible = e.possible;
  r.stamp = clocks_.now(agent);
  r.component = at_.thread(agent);
  if (e.kind == EventKind::Matrix) {
    r.agent = Agent::Matrix;
    r.component = at_.matrix(agent);
    r.stamp = static_cast<std::uint32_t>(e.value) + 1;
  } else if (e.kind == EventKind::Copy) {
    const int block = agents_[agent].block;
    r.agent = Agent::Copy;
    r.component = at_.gate(block, e.gate);
    r.stamp = static_cast<std::uint32_t>(gates_[block * at_.gates + e.gate].completed) + 1;
  } else if (e.flies) {
    r.agent = Agent::LaneCopy;
    r.component = at_.landed(agent);
    r.stamp = static_cast<std::uint32_t>(e.value) + 1;
  }
  return r;
}

/// Is `old` known to have happened by `lane` (below 0: by all lanes) of the agent that makes `now`?
Engine::Order Engine::order(const Record& old, const Record& now, int lane) const {
  if (old.run != now.run) return Order::Unordered;
  const int agent = now.warp;
  auto knows = [&](int component) {
    return lane < 0 ? clocks_.all_know(agent, component, old.stamp)
                    : clocks_.known(agent, lane, component) >= old.stamp;
  };
  if (old.agent == Agent::Copy || old.agent == Agent::Matrix)
    return knows(old.component) ? Order::Ordered : Order::Unordered;
  const bool fence = old.agent == Agent::Lanes && old.write && now.agent >= Agent::Copy;
  bool fenced = true;
  for (Lanes left = old.lanes; left; left &= left - 1) {
    const int l = std::countr_zero(left);
    const bool own = old.warp == agent && l == lane;
    if (old.agent == Agent::LaneCopy) {
      bool landed = own ? clocks_.landed(agent, l) >= old.stamp : knows(old.component + l);
      if (!landed) return Order::Unordered;
      continue;
    }
    if (!own && !knows(old.component + l)) return Order::Unordered;
    if (fence)
      fenced &= own ? clocks_.fenced(agent, l) >= old.stamp : knows(at_.fence(old.warp) + l);
  }
  return fenced ? Order::Ordered : Order::NoFence;
}

void Engine::access(int agent, const Event& e) {
  Record now = record(agent, e);
  const Trace& t = trace(agent);
  auto& slots = slots_[agents_[agent].block];
  for (std::uint32_t i = e.first; i < e.first + e.count; ++i) {
    const Range& r = t.ranges[i];
    const int lane = now.agent == Agent::Matrix ? -1 : r.lane;
    now.lanes = now.agent >= Agent::Copy ? 1 : Lanes{1} << r.lane;
    if (r.slot >= 0) {
      SlotCells& s = slots[r.slot];
      const std::int64_t from = r.copy * s.per_copy + r.begin / s.piece;
      for (std::int64_t c = from; c < from + r.bytes / s.piece; ++c)
        touch(now, r, lane, s.cells[static_cast<std::size_t>(c)]);
    } else {
      TensorCells& tensor = tensors_[r.param];
      for (std::int64_t b = r.begin; b < r.begin + r.bytes; b += tensor.piece)
        touch(now, r, lane, tensor.cells[b / tensor.piece]);
    }
  }
  recorder_.count(e.count);
}

void Engine::touch(const Record& now, const Range& r, int lane, Cell& c) {
  if (c.writer.stamp && !(now.strong && c.writer.strong)) {
    Order o = order(c.writer, now, lane);
    if (o != Order::Ordered) conflict(c.writer, now, r, lane, o);
  }
  if (now.write || !c.others.empty())
    for (const Record& old : c.others) {
      if ((!now.write && !old.write) || (now.strong && old.strong)) continue;
      Order o = order(old, now, lane);
      if (o != Order::Ordered) conflict(old, now, r, lane, o);
    }
  if (!now.write) {
    if (r.slot >= 0) reads(now, r, lane, c);
    return add_other(c, now);
  }
  (now.possible ? c.maybe_written : c.written) = true;
  c.filled_as = now.possible ? any_use : r.use;
  if (now.strong) return add_other(c, now);
  c.writer = now;
  c.others.clear();
}

void Engine::reads(const Record& now, const Range& r, int lane, const Cell& c) {
  const ir::Slot& slot = k_.slots[r.slot];
  const std::int64_t element = r.begin * 8 / ir::bits(slot.elem);
  if (!c.written)
    finding(Property::Uninitialised,
            c.maybe_written || now.possible ? Verdict::Unknown : Verdict::Refuted, now.op, now.warp,
            std::max(lane, 0),
            fmt::format("thread {} reads {}[{}], which {}", thread(now.warp, std::max(lane, 0)),
                        slot.name, element,
                        c.maybe_written ? "may not be written" : "no thread has written"));
  if (r.use == c.filled_as || r.use == any_use || c.filled_as == any_use) return;
  finding(Property::Stale, now.possible ? Verdict::Unknown : Verdict::Refuted, now.op, now.warp,
          std::max(lane, 0),
          fmt::format("thread {} reads {}[{}] as use {} of the slot, which was filled for use {}; "
                      "fill the copy for every use that is read",
                      thread(now.warp, std::max(lane, 0)), slot.name, element, r.use, c.filled_as),
          c.writer.op, thread(c.writer.warp, std::countr_zero(c.writer.lanes | 1u << 31)));
}

void Engine::conflict(const Record& old, const Record& now, const Range& r, int lane, Order order) {
  const bool across = old.run != now.run;
  auto why = [&]() -> std::string {
    if (across) return "nothing orders two blocks of a launch";
    if (order == Order::NoFence)
      return "no proxy_fence lies between the store and the asynchronous access: put one behind "
             "the "
             "store, before what orders them";
    switch (old.agent) {
      case Agent::LaneCopy: return "the copy is in flight: its group has not been waited for";
      case Agent::Copy:
        return fmt::format("the copy may be in flight: no wait for phase {} of {} lies between",
                           old.stamp - 1,
                           gate_name(k_, (old.component - at_.gate(0, 0)) % at_.gates));
      case Agent::Matrix:
        return "a wgmma may still read it: no wgmma_wait that ends its group lies between";
      default: return "no barrier, gate or warp_sync orders them";
    }
  };
  const std::string& name = r.slot >= 0 ? k_.slots[r.slot].name : k_.params[r.param].name;
  const int bits = ir::bits(r.slot >= 0 ? k_.slots[r.slot].elem : k_.params[r.param].type.elem);
  ProofFinding f;
  f.property = order == Order::NoFence ? Property::ProxyOrder
               : r.slot >= 0           ? Property::SharedRace
                                       : Property::GlobalRace;
  f.verdict = old.possible || now.possible ? Verdict::Unknown : Verdict::Refuted;
  const int old_lane = old.agent >= Agent::Copy ? 0 : std::countr_zero(old.lanes);
  f.threads[0] = thread(old.warp, old_lane);
  f.threads[1] = thread(now.warp, std::max(lane, 0));
  f.buffer = name;
  f.element = r.begin * 8 / bits;
  f.message =
      fmt::format("{}thread {} and thread {}{} meet at {}[{}]; {}",
                  f.verdict == Verdict::Unknown ? "if their conditions hold, " : "", f.threads[0],
                  f.threads[1], across ? " of another block" : "", name, f.element, why());
  recorder_.add(std::move(f), old.op, now.op);
}

/// A store to the memory of another block of the cluster, which must have started.
void Engine::remote(int agent, const Event& e) {
  const int rank = static_cast<int>(e.value), lane = std::countr_zero(e.lanes);
  if (e.value < 0 || e.value >= at_.blocks)
    return finding(Property::Cluster, Verdict::Refuted, e.op, agent, lane,
                   fmt::format("a store to block {} of a cluster of {}", e.value, at_.blocks));
  const int warps = static_cast<int>(blocks_[0].warps.size());
  bool runs = rank == agents_[agent].block;
  for (int w = rank * warps; w < (rank + 1) * warps && !runs; ++w)
    runs = clocks_.known(agent, lane, at_.thread(w)) > 0;
  if (!runs)
    finding(Property::Cluster, Verdict::Refuted, e.op, agent, lane,
            fmt::format("thread {} stores to block {} of the cluster, which may not have started: "
                        "put a cluster_arrive and a cluster_wait before",
                        thread(agent, lane), rank));
  Record now = record(agent, e);
  const Trace& t = trace(agent);
  for (std::uint32_t i = e.first; i < e.first + e.count; ++i) {
    const Range& r = t.ranges[i];
    SlotCells& s = slots_[rank][r.slot];
    now.lanes = Lanes{1} << r.lane;
    const std::int64_t from = r.copy * s.per_copy + r.begin / s.piece;
    for (std::int64_t c = from; c < from + r.bytes / s.piece; ++c)
      touch(now, r, r.lane, s.cells[static_cast<std::size_t>(c)]);
  }
  remotes_.push_back({agent, e.lanes, now.stamp, rank, e.op});
}

}  // namespace barline::verify::proof::async
