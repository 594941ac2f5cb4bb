// SPDX-License-Identifier: Apache-2.0
// Each agent has a program, a list of steps; a state is where each agent stands, what each gate
// counts, what each slot holds and what is on its way there.
#include "verify/ring_model.h"

#include <fmt/format.h>
#include <algorithm>
#include <utility>

namespace barline::verify {
namespace {

enum class Act : std::uint8_t { AwaitEmpty, Announce, Issue, AwaitFull, Release };
constexpr const char* act_names[] = {"awaits empty", "announces", "issues copies", "awaits full",
                                     "releases"};

struct Step {
  Act act{};
  int use = 0;
};
using Agent = std::vector<Step>;

struct Gate {
  std::int8_t phase = 0;  ///< the one that is not complete
  std::int8_t missing = 0;
  std::int8_t units = 0;  ///< announced and not landed
};

struct Slot {
  Gate full, empty;
  std::int8_t holds = -1;   ///< use whose data landed whole
  std::int8_t coming = -1;  ///< use whose copies are on their way
  std::int8_t flying = 0;   ///< copies
};

struct State {
  std::vector<std::int8_t> at;       ///< of each agent, in its program; the filler is the first
  std::vector<std::int8_t> reading;  ///< slot by slot: readers that are between wait and release
  std::vector<Slot> slots;

  std::string key() const {
    std::string k(at.begin(), at.end());
    k.append(reading.begin(), reading.end());
    for (const Slot& s : slots)
      for (std::int8_t v : {s.full.phase, s.full.missing, s.full.units, s.empty.phase,
                            s.empty.missing, s.holds, s.coming, s.flying})
        k.push_back(static_cast<char>(v));
    return k;
  }
};

class Explorer {
 public:
  explicit Explorer(const RingProtocol& p) : p_(p) {
    Agent filler, reader;
    for (int u = 0; u < p.uses; ++u)
      for (Act a : {Act::AwaitEmpty, Act::Announce, Act::Issue}) filler.push_back({a, u});
    const int tile = p.tile ? p.tile : p.uses;
    int released = 0;
    auto release_until = [&](int end) {
      for (; released < end; ++released) reader.push_back({Act::Release, released});
    };
    for (int u = 0; u < p.uses; ++u) {
      reader.push_back({Act::AwaitFull, u});
      const bool last = u + 1 == p.uses || (u + 1) % tile == 0;
      release_until(last ? u + 1 : u + 1 - p.lag);
    }
    agents_.push_back(std::move(filler));
    agents_.insert(agents_.end(), static_cast<std::size_t>(p.readers), reader);
  }

  WalkVerdict run() {
    return walk_.run(first(), [this](std::size_t i) { expand(i); });
  }

 private:
  State first() const {
    State s;
    s.at.resize(agents_.size());
    s.reading.resize(static_cast<std::size_t>(p_.slots));
    s.slots.resize(static_cast<std::size_t>(p_.slots));
    for (Slot& slot : s.slots) {
      slot.full.missing = 1;
      slot.empty.missing = static_cast<std::int8_t>(p_.arrivals);
    }
    return s;
  }

  static std::string agent_name(std::size_t a) {
    return a == 0 ? "the filler" : fmt::format("reader {}", a);
  }

  /// All successors of state i.
  void expand(std::size_t i) {
    bool moved = false, ended = true;
    for (std::size_t a = 0; a < agents_.size(); ++a) {
      const auto at = static_cast<std::size_t>(walk_[i].at[a]);
      if (at == agents_[a].size()) continue;
      ended = false;
      State s = walk_[i];
      const Step step = agents_[a][at];
      std::string text = fmt::format("{} {} of use {}", agent_name(a),
                                     act_names[static_cast<int>(step.act)], step.use);
      const Outcome o = act(s, step);
      if (!o.fault.empty()) return walk_.fault(i, text, o.fault);
      if (!o.passes) continue;
      ++s.at[a];
      moved = true;
      walk_.add(std::move(s), i, std::move(text));
    }
    for (std::size_t n = 0; n < walk_[i].slots.size(); ++n) {
      if (!walk_[i].slots[n].flying) continue;
      State s = walk_[i];
      moved = true;
      const Outcome o = land(s, s.slots[n]);
      std::string text = fmt::format("a copy lands in slot {}", n);
      if (!o.fault.empty()) return walk_.fault(i, text, o.fault);
      walk_.add(std::move(s), i, std::move(text));
    }
    if (!moved && !ended) walk_.fault(i, "", "deadlock: nobody can go on");
  }

  struct Outcome {
    bool passes = true;
    std::string fault{};
  };

  /// The hardware's wait: it passes while the gate's parity differs from the phase's.
  Outcome wait(const Gate& g, int phase, const char* gate) const {
    const bool passes = (g.phase & 1) != (phase & 1);
    if (passes && g.phase <= phase)
      return {true,
              fmt::format("the wait for phase {} of {} passes in phase {}", phase, gate, g.phase)};
    if (g.phase > phase + 1)
      return {passes, fmt::format("the wait for phase {} of {} is lapped by phase {}", phase, gate,
                                  g.phase)};
    return {passes};
  }

  Outcome complete(Gate& g, int arrivals) const {
    if (g.missing < 0 || g.units < 0)
      return {true, "a gate has more arrivals or bytes than its phase takes"};
    if (g.missing || g.units) return {};
    ++g.phase;
    g.missing = static_cast<std::int8_t>(arrivals);
    return {};
  }

  Outcome act(State& s, const Step& step) const {
    const int lap = step.use / p_.slots;
    const auto at = static_cast<std::size_t>(step.use % p_.slots);
    Slot& slot = s.slots[at];
    switch (step.act) {
      case Act::AwaitEmpty: return wait(slot.empty, lap + p_.empty_phase, "empty");
      case Act::Announce:
        slot.full.units = static_cast<std::int8_t>(slot.full.units + p_.announced);
        --slot.full.missing;
        return complete(slot.full, 1);
      case Act::Issue: return issue(s, step.use, at);
      case Act::AwaitFull: {
        Outcome o = wait(slot.full, lap + p_.full_phase, "full");
        if (!o.fault.empty() || !o.passes) return o;
        if (slot.holds != step.use)
          return {true, fmt::format("use {} reads what use {} left", step.use, slot.holds)};
        ++s.reading[at];
        return o;
      }
      default: {
        --s.reading[at];
        const int of = (step.use + p_.released + p_.slots) % p_.slots;
        Gate& empty = s.slots[static_cast<std::size_t>(of)].empty;
        --empty.missing;
        return complete(empty, p_.arrivals);
      }
    }
  }

  Outcome issue(State& s, int use, std::size_t at) const {
    Slot& slot = s.slots[at];
    if (s.reading[at] || slot.flying)
      return {true, fmt::format("use {} overwrites slot {} while it is read or filled", use, at)};
    for (std::size_t a = 1; a < agents_.size(); ++a)
      if (slot.holds >= 0 && !has_read(s, a, slot.holds))
        return {true, fmt::format("use {} overwrites use {} before {} read it", use, slot.holds,
                                  agent_name(a))};
    slot.holds = -1;
    slot.coming = static_cast<std::int8_t>(use);
    slot.flying = static_cast<std::int8_t>(p_.copies);
    return {};
  }

  bool has_read(const State& s, std::size_t agent, int use) const {
    const Agent& program = agents_[agent];
    const auto end = program.begin() + s.at[agent];
    return std::any_of(program.begin(), end, [&](const Step& step) {
      return step.act == Act::AwaitFull && step.use == use;
    });
  }

  Outcome land(State&, Slot& slot) const {
    --slot.full.units;
    if (--slot.flying == 0) slot.holds = std::exchange(slot.coming, std::int8_t{-1});
    return complete(slot.full, 1);
  }

  const RingProtocol p_;
  std::vector<Agent> agents_;
  StateWalk<State> walk_;
};

}  // namespace

WalkVerdict explore(const RingProtocol& p) { return Explorer(p).run(); }

}  // namespace barline::verify
