// SPDX-License-Identifier: Apache-2.0
// Gates. Phase n is complete when its arrivals have come and the bytes announced for it have
// landed; copies land when they are issued, which is the earliest that the hardware may do. The
// hardware keeps one bit of the phase: whoever arrives, copies or waits must know that all phases
// before the one meant are complete, and no phase may complete over the head of one who still waits
// for the one before.
#include <fmt/format.h>

#include <bit>

#include "verify/proof/async/engine.h"
#include "verify/proof/async/tracer.h"

namespace barline::verify::proof::async {

/// Do the lanes know that all phases before the present one are complete?
bool Engine::knows_phase(int agent, Lanes lanes, const Event& e, std::string_view what) {
  const int block = agents_[agent].block;
  const Gate& g = gate(block, e.gate);
  for (Lanes left = lanes; left; left &= left - 1) {
    int lane = std::countr_zero(left);
    if (clocks_.known(agent, lane, at_.gate(block, e.gate)) >=
        static_cast<std::uint32_t>(g.completed))
      continue;
    finding(
        Property::Gates, Verdict::Refuted, e.op, agent, lane,
        fmt::format("thread {} {} phase {} of {} without knowing that phase {} is complete: it "
                    "may count for that one",
                    thread(agent, lane), what, g.completed, gate_name(k_, e.gate), g.completed - 1),
        g.arrive_op);
    return false;
  }
  return true;
}

void Engine::arrive(int agent, const Event& e) {
  const int block = agents_[agent].block;
  Gate& g = gate(block, e.gate);
  for (Lanes left = e.lanes; left;) {
    if (g.pending == 0)
      return finding(Property::Gates, Verdict::Refuted, e.op, agent, std::countr_zero(left),
                     fmt::format("more than {} arrivals come to phase {} of {}",
                                 gate_arrivals(k_, e.gate), g.completed, gate_name(k_, e.gate)));
    Lanes now = 0;  // as many as the phase still takes
    for (int n = g.pending; n > 0 && left; --n) {
      now |= left & (~left + 1);
      left &= left - 1;
    }
    knows_phase(agent, now, e, "arrives for");
    const int count = std::popcount(now);
    g.pending -= count;
    g.bytes += count * e.value;
    g.announced += count * e.value;
    g.arrive_op = e.op;
    join(g.gathered, clocks_.publish(agent, now));
    maybe_complete(block, e.gate, e.op);
  }
}

void Engine::report_copy(int agent, const Event& e) {
  const int block = agents_[agent].block;
  Gate& g = gate(block, e.gate);
  knows_phase(agent, e.lanes, e, "copies for");
  g.bytes -= e.value;
  g.last_copied = g.completed;
  g.copy_op = e.op;
  maybe_complete(block, e.gate, e.op);
}

void Engine::maybe_complete(int block, int number, int op) {
  Gate& g = gate(block, number);
  if (g.pending > 0 || g.bytes > 0) return;
  if (g.bytes < 0) {
    ProofFinding f;
    f.property = Property::Gates;
    f.verdict = Verdict::Refuted;
    f.message = fmt::format("phase {} of {} is announced {} bytes, and copies bring {}",
                            g.completed, gate_name(k_, number), g.announced, g.announced - g.bytes);
    recorder_.add(std::move(f), g.arrive_op, g.copy_op);
  }
  complete(block, number, op);
}

void Engine::complete(int block, int number, int op) {
  Gate& g = gate(block, number);
  for (const Waiter& w : g.waiters) {
    for (Lanes left = w.lanes; left; left &= left - 1) {
      int lane = std::countr_zero(left);
      if (g.gathered[at_.thread(w.agent) + lane] >= w.stamp) continue;
      finding(
          Property::Gates, Verdict::Refuted, w.op, w.agent, lane,
          fmt::format("phase {} of {} may complete while thread {} still waits for phase {}: "
                      "its parity is then that of an older one",
                      g.completed, gate_name(k_, number), thread(w.agent, lane), g.completed - 1),
          op);
      break;
    }
  }
  g.waiters.clear();
  ++g.completed;
  g.gathered[at_.gate(block, number)] = static_cast<std::uint32_t>(g.completed);
  std::swap(g.released, g.gathered);
  g.gathered.assign(static_cast<std::size_t>(at_.size()), 0);
  g.bytes = g.announced = 0;
  g.pending = gate_arrivals(k_, number);
}

bool Engine::await(int agent, const Event& e) {
  const int block = agents_[agent].block;
  Gate& g = gate(block, e.gate);
  if (e.value < -1) {
    finding(Property::Gates, Verdict::Refuted, e.op, agent, std::countr_zero(e.lanes),
            fmt::format("a wait for phase {} of {}: phases start at -1, which is complete", e.value,
                        gate_name(k_, e.gate)));
    return true;
  }
  if (e.value >= g.completed) return false;
  const int component = at_.gate(block, e.gate);
  for (Lanes left = e.lanes; left; left &= left - 1) {
    int lane = std::countr_zero(left);
    if (static_cast<std::int64_t>(clocks_.known(agent, lane, component)) >= e.value) continue;
    finding(
        Property::Gates, Verdict::Refuted, e.op, agent, lane,
        fmt::format("thread {} waits for phase {} of {} without knowing that phase {} is "
                    "complete: phase {} of the same parity lets it pass",
                    thread(agent, lane), e.value, gate_name(k_, e.gate), e.value - 1, e.value - 2),
        g.arrive_op);
    break;
  }
  if (e.value + 1 < g.completed) {
    finding(Property::Gates, Verdict::Refuted, e.op, agent, std::countr_zero(e.lanes),
            fmt::format("thread {} waits for phase {} of {}, which phase {} may have overtaken: "
                        "the wait then is for a later one",
                        thread(agent, std::countr_zero(e.lanes)), e.value, gate_name(k_, e.gate),
                        g.completed - 1),
            g.arrive_op);
    return true;
  }
  if (e.value >= 0) clocks_.acquire(agent, e.lanes, g.released);
  g.waiters.push_back({agent, e.lanes, clocks_.now(agent), e.op});
  return true;
}

}  // namespace barline::verify::proof::async
