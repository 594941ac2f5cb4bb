// SPDX-License-Identifier: Apache-2.0
#include "verify/interp/gate.h"

#include <fmt/format.h>
#include <algorithm>
#include <cstring>
#include <iterator>

#include "verify/interp/machine.h"
#include "verify/interp/memory.h"

namespace barline::verify::sim {
namespace {

std::string title(const Block& b, const Gate& g) {
  const ir::Slot& slot = b.warps[0].worker->program.kernel->slots[static_cast<std::size_t>(g.slot)];
  return slot.copies > 1 ? fmt::format("gate '{}' copy {}", slot.name, g.copy)
                         : fmt::format("gate '{}'", slot.name);
}

bool checks_order(const Warp& w) {
  const SimOptions& o = *w.worker->machine.options;
  return o.detect_races && o.syncs_placed;
}

/// Has the lane heard of what a gate completed at this count?
bool knows(const Warp& w, int lane, const Gate& g, std::uint32_t completed_at) {
  if (completed_at <= w.block->floor) return true;
  const SharedClock& known = w.sync[lane].known;
  if (!known) return false;
  auto at = known->gates.find(gate_key(w.block->linear, g.number));
  return at != known->gates.end() && at->second >= completed_at;
}

void require_turn(const Warp& w, int lane, const Gate& g, std::string_view what) {
  if (!checks_order(w) || g.phase == 0 || knows(w, lane, g, g.completed_at[0])) return;
  halt(w, lane, FindingKind::Protocol,
       fmt::format("{} at phase {} of {}, and nothing tells this thread that phase {} is complete: "
                   "it may count for either",
                   what, g.phase, title(*w.block, g), g.phase - 1));
}

/// Some thread of each warp that waited for phase p - 1 arrives, or lets arrive, at phase p.
void require_no_lapping(const Warp& w, const Gate& g) {
  if (!checks_order(w)) return;
  const auto warps = static_cast<std::uint32_t>(w.block->warps.size());
  for (const Gate::Waited& seen : g.waited) {
    bool covered = false;
    for_each_lane(seen.who, [&](int l) {
      covered =
          covered || (g.arriving && g.arriving->covers(seen.warp, seen.count, Mask{1} << l, warps));
    });
    if (covered) continue;
    Finding f = finding_at(
        w, std::countr_zero(w.mask), FindingKind::Protocol,
        fmt::format("phase {} of {} completes, and nothing puts it after this wait for phase {}: a "
                    "waiting thread may miss that phase, since it sees parity alone",
                    g.phase, title(*w.block, g), g.phase - 1));
    f.other = site_of(w.worker->program, seen.pc, seen.warp, std::countr_zero(seen.who));
    throw Halt{std::move(f)};
  }
}

void land(const Flight& f, const Gate& g, std::uint32_t count) {
  if (f.from)
    std::memcpy(f.to, f.from, static_cast<std::size_t>(f.bytes));
  else
    std::memset(f.to, 0, static_cast<std::size_t>(f.bytes));
  const Stamp s{.warp = f.warp,
                .count = count,
                .who = Mask{1} << f.lane,
                .pc = f.pc - 1,
                .touch = Touch::WeakWrite,
                .wide = false,
                .next = 0,
                .gate = g.number + 1};
  for (std::int64_t cell = f.first_cell; f.shadow && cell < f.first_cell + f.cells; ++cell)
    f.shadow->land(cell, s);
}

void wake_waiters(Warp& w, const Gate& g) {
  for (Warp& other : w.block->warps)
    if (other.state == WarpState::AtGate && other.gate == &g) w.worker->wake(other);
}

void complete(Warp& w, Gate& g) {
  Block& b = *w.block;
  require_no_lapping(w, g);
  const std::uint32_t count = ++b.count;
  for (const Flight& f : g.flights) land(f, g, count);
  auto released = g.arriving ? std::make_shared<Clock>(*g.arriving) : std::make_shared<Clock>();
  released->gates[gate_key(b.linear, g.number)] = count;
  ++b.count;
  g.released = released;
  g.arriving = nullptr;
  g.completed_at[1] = g.completed_at[0];
  g.completed_at[0] = count;
  g.flights.clear();
  g.waited.clear();
  g.missing = g.declared;
  g.announced = g.copied = 0;
  ++g.phase;
  wake_waiters(w, g);
}

/// After an arrival or a copy: a phase without copies is complete at once, one with copies when a
/// thread needs it.
void settle(Warp& w, int lane, Gate& g) {
  if (g.missing != 0) return;
  if (g.copied > g.announced)
    halt(w, lane, FindingKind::Protocol,
         fmt::format("copies of {} bytes report to phase {} of {}, of which its arrivals announce "
                     "{}",
                     g.copied, g.phase, title(*w.block, g), g.announced));
  if (g.announced == 0) return complete(w, g);
  if (g.may_complete()) wake_waiters(w, g);
}

}  // namespace

void Gate::reset() {
  phase = 0;
  missing = declared;
  announced = copied = 0;
  flights.clear();
  arriving = released = nullptr;
  completed_at[0] = completed_at[1] = 0;
  waited.clear();
}

void arrive(Warp& w, int lane, Gate& g, std::int64_t bytes) {
  if (g.missing == 0)
    halt(w, lane, FindingKind::Protocol,
         fmt::format("an arrival past the {} that phase {} of {} takes", g.declared, g.phase,
                     title(*w.block, g)));
  require_turn(w, lane, g, "an arrival");
  g.announced += bytes;
  --g.missing;
  g.arriving = join(g.arriving, clock_of(w, lane));
  w.count[lane] = ++w.block->count;
  w.block->has_clocks = true;
  settle(w, lane, g);
}

void issue(Warp& w, int lane, Gate& g, std::vector<Flight> pieces, std::int64_t bytes) {
  require_turn(w, lane, g, "a copy reports");
  for (const Flight& f : pieces) take_off(w, f);
  g.flights.insert(g.flights.end(), pieces.begin(), pieces.end());
  g.copied += bytes;
  settle(w, lane, g);
}

bool is_complete(Warp& w, int lane, Gate& g, std::int64_t n) {
  if (n >= 0 && g.phase == n && g.may_complete()) complete(w, g);
  auto refuse = [&](std::string message) {
    halt(w, lane, FindingKind::Protocol, std::move(message));
  };
  if (n < -1) refuse(fmt::format("a wait for phase {} of {}", n, title(*w.block, g)));
  if (g.phase < n)
    refuse(
        fmt::format("a wait for phase {} of {} while phase {} is not complete: its parity is "
                    "that of phase {}",
                    n, title(*w.block, g), g.phase, n - 2));
  if (g.phase > n + 1)
    refuse(fmt::format("a wait for phase {} of {} after phase {} was complete: its parity is gone",
                       n, title(*w.block, g), n + 1));
  if (g.phase == n) return false;
  if (n >= 1 && checks_order(w) && !knows(w, lane, g, g.completed_at[1]))
    refuse(
        fmt::format("a wait for phase {} of {}, and nothing tells this thread that phase {} is "
                    "complete: it may see the parity of phase {}",
                    n, title(*w.block, g), n - 1, n - 2));
  return true;
}

void acquire(Warp& w, Mask who, Gate& g) {
  learn(w, who, g.released);
  const std::uint32_t count = w.count[std::countr_zero(who)];
  for_each_lane(who, [&](int l) { who &= ~(Mask{w.count[l] != count} << l); });
  std::erase_if(g.waited, [&](const Gate::Waited& s) { return s.warp == w.id; });
  g.waited.push_back({w.id, count, who, w.pc - 1});
}

void require_settled(const Block& b) {
  for (const Gate& g : b.gates) {
    if (g.announced == 0 && g.copied == 0) continue;
    const Warp& w = b.warps[0];
    if (g.flights.empty())
      halt(w, 0, FindingKind::Protocol, fmt::format("the block ends, and {}", lacking(w, g)));
    const Flight& f = g.flights.front();
    Finding found = finding_at(
        w, 0, FindingKind::Protocol,
        fmt::format("the block ends while a copy that reports to phase {} of {} is in flight: no "
                    "thread waits for it",
                    g.phase, title(b, g)));
    found.here = site_of(w.worker->program, f.pc - 1, f.warp, f.lane);
    throw Halt{std::move(found)};
  }
}

std::string lacking(const Warp& w, const Gate& g) {
  std::string text = fmt::format("phase {} of {}", g.phase, title(*w.block, g));
  auto out = std::back_inserter(text);
  if (g.missing) fmt::format_to(out, " lacks {} of {} arrivals", g.missing, g.declared);
  if (g.announced > g.copied)
    fmt::format_to(out, " {} {} of {} bytes", g.missing ? "and" : "lacks", g.announced - g.copied,
                   g.announced);
  if (g.copied > g.announced)
    fmt::format_to(out, " {} an announcement of {} bytes that are copied",
                   g.missing ? "and" : "lacks", g.copied - g.announced);
  return text;
}

}  // namespace barline::verify::sim
