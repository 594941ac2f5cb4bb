// SPDX-License-Identifier: Apache-2.0
// What holds when nothing moves any more: all warps have ended, with nothing left in flight, or
// some wait for ever.
#include <fmt/format.h>

#include <bit>

#include "verify/proof/async/engine.h"
#include "verify/proof/async/tracer.h"

namespace barline::verify::proof::async {

/// What the blocked agent waits for.
std::string Engine::waits_for(int agent, const Event& e, Property& p) const {
  p = Property::Deadlock;
  const int block = agents_[agent].block;
  switch (e.kind) {
    case EventKind::Await: {
      const Gate& g = gates_[block * at_.gates + e.gate];
      bool parity = (e.value - g.completed + 1) % 2 == 0;
      if (parity || (g.pending == 0 && g.bytes > 0)) p = Property::Gates;
      return fmt::format(
          "for phase {} of {}: phase {} lacks {} arrivals and {} of {} bytes{}", e.value,
          gate_name(k_, e.gate), g.completed, g.pending, g.bytes, g.announced,
          parity ? fmt::format("; phase {} of the same parity lets it pass early", g.completed - 1)
                 : "");
    }
    case EventKind::Barrier: {
      const Meeting& m = meetings_.at({block, static_cast<int>(e.value)});
      return fmt::format("at barrier {}, to which {} of {} warps have come", e.value,
                         m.agents.size(), m.warps);
    }
    case EventKind::Registers:
      p = Property::Registers;
      return fmt::format("for {} registers a thread: the block has {} left of {} x {}", e.value,
                         pool_[block], launch_registers(k_), k_.launch.block_threads());
    case EventKind::ClusterWait: return "for the cluster's barrier";
    default: return "";
  }
}

void Engine::deadlock() {
  std::string text;
  int first = -1, first_op = -1, second_op = -1, named = 0;
  Property property = Property::Deadlock;
  for (int agent = 0; agent < at_.agents; ++agent) {
    const Agents& a = agents_[agent];
    if (a.at >= trace(agent).events.size()) continue;
    const Event& e = trace(agent).events[a.at];
    if (first >= 0 && (e.op == first_op || e.op == second_op)) continue;
    Property p;
    std::string what = waits_for(agent, e, p);
    if (first < 0) {
      first = agent;
      first_op = e.op;
    } else if (second_op < 0) {
      second_op = e.op;
    }
    if (p != Property::Deadlock) property = p;
    if (named++ < 3)
      text += fmt::format("{}thread {} waits {}", text.empty() ? "" : "; ",
                          thread(agent, std::countr_zero(e.lanes)), what);
  }
  finding(property, Verdict::Refuted, first_op, first, 0, "no warp can go on: " + text, second_op);
}

void Engine::ended() {
  const int warps = static_cast<int>(blocks_[0].warps.size());
  auto some_knows = [&](int block, int component, std::uint32_t count) {
    for (int w = block * warps; w < (block + 1) * warps; ++w)
      for (int lane = 0; lane < ir::warp_size; ++lane)
        if (clocks_.known(w, lane, component) >= count) return true;
    return false;
  };
  for (int b = 0; b < at_.blocks; ++b)
    for (int n = 0; n < at_.gates; ++n) {
      const Gate& g = gate(b, n);
      const int arrivals = gate_arrivals(k_, n);
      if (g.pending != arrivals || g.bytes != 0)
        finding(
            Property::Gates, Verdict::Refuted, g.arrive_op >= 0 ? g.arrive_op : g.copy_op, -1, 0,
            fmt::format("phase {} of {} is left with {} of {} arrivals and {} bytes that no "
                        "copy has brought",
                        g.completed, gate_name(k_, n), arrivals - g.pending, arrivals, g.bytes));
      else if (g.last_copied >= 0 &&
               !some_knows(b, at_.gate(b, n), static_cast<std::uint32_t>(g.last_copied) + 1))
        finding(
            Property::Gates, Verdict::Refuted, g.copy_op, -1, 0,
            fmt::format("the block may end while a copy is in flight: no thread waits for phase "
                        "{} of {}",
                        g.last_copied, gate_name(k_, n)));
    }
  for (const RemoteStore& r : remotes_) {
    bool alive = r.rank == agents_[r.agent].block;
    for (int w = r.rank * warps; w < (r.rank + 1) * warps && !alive; ++w) {
      alive = true;
      for (Lanes left = r.lanes; left; left &= left - 1)
        alive &= clocks_.known(w, 0, at_.thread(r.agent) + std::countr_zero(left)) >= r.stamp;
    }
    if (!alive)
      finding(Property::Cluster, Verdict::Refuted, r.op, r.agent, std::countr_zero(r.lanes),
              fmt::format("block {} of the cluster may have ended when thread {} stores to it: let "
                          "it wait for the cluster's barrier after the store",
                          r.rank, thread(r.agent, std::countr_zero(r.lanes))));
  }
  // Warps of a warpgroup come to the same warpgroup ops.
  auto of_group = [&](int agent) {
    std::vector<std::pair<int, std::int64_t>> ops;
    for (const Event& e : trace(agent).events)
      if (e.kind == EventKind::Matrix || e.kind == EventKind::MatrixWait ||
          e.kind == EventKind::Registers)
        ops.emplace_back(e.op, e.value);
    return ops;
  };
  for (int agent = 0; agent < at_.agents; ++agent) {
    const int leader = agent - agents_[agent].warp % 4;
    auto ops = of_group(agent);
    bool whole = ops.empty() || agents_[leader].warp + 4 <= warps;
    if (whole && (agent == leader || ops == of_group(leader))) continue;
    const int op = ops.empty() ? of_group(leader)[0].first : ops[0].first;
    finding(Property::Warpgroup, Verdict::Refuted, op, agent, 0,
            fmt::format("warps {} and {} of a warpgroup come to different warpgroup ops",
                        agents_[leader].warp, agents_[agent].warp));
  }
}

}  // namespace barline::verify::proof::async
