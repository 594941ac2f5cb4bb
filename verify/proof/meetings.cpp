// SPDX-License-Identifier: Apache-2.0
// The acts of one block on counters, with the values that they see.
#include "verify/proof/meetings.h"

#include <fmt/format.h>
#include <algorithm>

#include "ir/meeting.h"

namespace barline::verify::proof {
namespace {

using ir::CounterKind;
using ir::Key;
using ir::MemOrder;
using Kind = MeetEvent::Kind;

constexpr std::uint64_t generation = 3;
constexpr std::uint64_t far = std::uint64_t{1} << 62;  ///< ends every wait

std::uint64_t left_by_earlier(CounterKind kind) {
  return kind == CounterKind::Arrivals ? (generation - 1) << ir::arrival_bits | 1 : generation - 1;
}

bool releases(const Step& s) {
  auto order = s.op->attr_as<MemOrder>(Key::Order);
  return s.device_scope && (order == MemOrder::Release || order == MemOrder::AcqRel);
}
bool acquires(const Step& s) {
  auto order = s.op->attr_as<MemOrder>(Key::Order);
  return s.device_scope && (order == MemOrder::Acquire || order == MemOrder::AcqRel);
}

}  // namespace

const MeetEvent* BlockRun::last_arrival() const {
  for (auto e = events.rbegin(); e != events.rend(); ++e)
    if (e->kind == Kind::Arrive) return &*e;
  return nullptr;
}

BlockRun& Meetings::begin(int block, std::set<CounterAt> wins, bool again) {
  runs_.push_back({.block = block, .wins = std::move(wins), .again = again});
  return runs_.back();
}

/// Winners whose accesses are compared: the first to arrive by number, its neighbour, one from the
/// middle, the last.
bool Meetings::may_win(int block, const Use& use) {
  const auto at = std::distance(use.arrivals.begin(), use.arrivals.find(block));
  return at < 2 || at == use.total() / 2 || at == use.total() - 1;
}

/// A word with one arrival has no loser.
std::vector<std::set<CounterAt>> Meetings::suppositions(int block) const {
  std::set<CounterAt> always, open;
  for (const auto& [counter, use] : uses_)
    if (use.arrivals.contains(block) && may_win(block, use))
      (use.total() == 1 ? always : open).insert(counter);
  std::vector<std::set<CounterAt>> all{always};
  for (const CounterAt& c : open) {
    all.push_back(always);
    all.back().insert(c);
  }
  if (open.size() > 1) {
    open.merge(always);
    all.push_back(open);
  }
  return all;
}

void Meetings::collected() {
  for (const BlockRun& run : runs_)
    for (const MeetEvent& e : run.events) {
      if (e.kind == Kind::Arrive) {
        Use& use = uses_[e.counter];
        ++use.arrivals[run.block];
        use.base = std::min(use.base, e.value);
      }
      if (e.kind == Kind::Release) uses_[e.counter].releases[run.block] = e.value;
    }
  check_uses();
  runs_.clear();
  cells_.clear();
  collecting_ = false;
}

std::string Meetings::name(const CounterAt& c) const {
  return fmt::format("{}[{}]", plan_.kernel->params[c.first].name, c.second);
}

void Meetings::find(Property p, Verdict v, int op, int block, const CounterAt& c,
                    std::string message) {
  ProofFinding f;
  f.property = p;
  f.verdict = v;
  f.message = std::move(message);
  f.blocks[0] = block;
  if (c.first >= 0) f.buffer = plan_.kernel->params[c.first].name;
  f.element = c.second;
  recorder_.add(std::move(f), op);
}

void Meetings::doubt(const Step& s, std::string what) {
  find(Property::Meeting, Verdict::Unknown, s.index, current().block, {s.param, -1},
       std::move(what));
}

void Meetings::check_uses() {
  for (const auto& [counter, use] : uses_) {
    for (auto [block, times] : use.arrivals)
      if (times > 1)
        find(Property::Meeting, Verdict::Refuted, -1, block, counter,
             fmt::format("block {} arrives at {} {} times in a launch; give each meeting a word of "
                         "its own",
                         block, name(counter), times));
    if (!use.arrivals.empty() && !use.releases.empty())
      find(Property::Meeting, Verdict::Refuted, -1, use.releases.begin()->first, counter,
           fmt::format("{} is released as a flag and arrived at as a word; give each a counter of "
                       "its own",
                       name(counter)));
    if (use.releases.size() > 1)
      find(Property::Meeting, Verdict::Unknown, -1, use.releases.begin()->first, counter,
           fmt::format("{} blocks release {}, and a wait goes on with the first; give each a flag",
                       use.releases.size(), name(counter)));
  }
}

/// What a wait reads, one value after the other.
std::vector<std::uint64_t> Meetings::values_of(CounterKind kind, const CounterAt& c) const {
  std::vector<std::uint64_t> values{left_by_earlier(kind)};
  const auto use = uses_.find(c);
  if (collecting_)
    values.push_back(far);
  else if (use == uses_.end())
    return values;
  else if (kind == CounterKind::Flag)
    for (auto [block, value] : use->second.releases) values.push_back(value);
  else
    for (int missing : {1, 0})
      values.push_back(use->second.base +
                       static_cast<std::uint64_t>(use->second.total() - missing));
  std::sort(values.begin() + 1, values.end());
  return values;
}

/// The wait that a load is part of: one more trip of its loop, or, behind a barrier, a wait of its
/// own, which begins with what the last one saw.
MeetEvent& Meetings::waiting(const Step& s, const CounterAt& c, const Moment& at) {
  auto& events = current().events;
  auto last = std::find_if(events.rbegin(), events.rend(), [&](const MeetEvent& e) {
    return e.kind == Kind::Wait && e.counter == c;
  });
  const int seen = last == events.rend() ? 0 : last->seen;
  if (last != events.rend() && last->op == s.index && last->at.epoch == at.epoch) {
    ++last->seen;
    last->at = at;
    return *last;
  }
  events.push_back({.kind = Kind::Wait,
                    .counter = c,
                    .op = s.index,
                    .at = at,
                    .seen = seen,
                    .acquires = acquires(s)});
  return events.back();
}

std::uint64_t Meetings::load(const Step& s, const CounterAt& c, const Moment& at) {
  const auto kind = s.op->attr_as<CounterKind>(Key::Counter);
  if (kind == CounterKind::Launches) {
    auto own = current().own.find(c);
    return own == current().own.end() ? left_by_earlier(kind) : own->second;
  }
  MeetEvent& wait = waiting(s, c, at);
  const std::vector<std::uint64_t> values = values_of(kind, c);
  const auto seen = static_cast<std::size_t>(wait.seen);
  if (seen < values.size()) return values[seen];
  find(Property::Deadlock, Verdict::Refuted, s.index, current().block, c,
       fmt::format("block {} waits for {}, and no block of the launch lets it go on: {}",
                   current().block, name(c),
                   kind == CounterKind::Flag ? "release the flag for this generation in one block"
                                             : "let as many blocks arrive as the meeting counts"));
  throw BlockStuck{};
}

void Meetings::store(const Step& s, const CounterAt& c, const Moment& at, std::uint64_t value) {
  if (s.op->attr_as<CounterKind>(Key::Counter) == CounterKind::Launches) {
    current().own[c] = value;
    return;
  }
  current().events.push_back({.kind = Kind::Release,
                              .counter = c,
                              .op = s.index,
                              .at = at,
                              .value = value,
                              .releases = releases(s)});
}

std::uint64_t Meetings::update(const Step& s, const CounterAt& c, const Moment& at,
                               std::uint64_t value) {
  auto own = current().own.try_emplace(c, left_by_earlier(CounterKind::Arrivals)).first;
  const auto rmw = s.op->attr_as<ir::RmwKind>(Key::Rmw);
  if (rmw == ir::RmwKind::Max) {
    own->second = std::max(own->second, value);
    return own->second;
  }
  if (rmw != ir::RmwKind::Add || value != 1) doubt(s, "a word counts arrivals one by one");
  current().events.push_back({.kind = Kind::Arrive,
                              .counter = c,
                              .op = s.index,
                              .at = at,
                              .value = own->second,
                              .releases = releases(s),
                              .acquires = acquires(s)});
  const int total = collecting_ ? 1 : uses_[c].total();
  if (wins(c) && total > 1) current().again = false;
  const int before = wins(c) ? total - 1 : std::max(total - 2, 0);
  return own->second + static_cast<std::uint64_t>(before);
}

/// The last to arrive must be told so, and the one before it must not.
void Meetings::elect(const Step& s, std::int64_t told) {
  current().elected = told;
  const MeetEvent* e = current().last_arrival();
  if (collecting_ || !e) return;
  const int total = uses_[e->counter].total();
  const bool last = wins(e->counter);
  if (last == (told != 0)) return;
  find(Property::Meeting, Verdict::Refuted, s.index, current().block, e->counter,
       last ? fmt::format("the last of {} blocks that arrive at {} is not told so; count as many "
                          "parts as blocks arrive",
                          total, name(e->counter))
            : fmt::format("block {} is told that it is the last at {} when {} of {} blocks have "
                          "arrived; count as many parts as blocks arrive",
                          current().block, name(e->counter), total - 1, total));
}

/// Threads of a block that touch an element alike are one entry.
void Meetings::touch(const Step& s, const Entry& now, std::int64_t element, std::uint32_t number) {
  if (collecting_ || current().again) return;
  const std::size_t run = runs_.size() - 1;
  Touch kind = s.touch;
  if (is_strong(kind) && !s.device_scope) kind = is_write(kind) ? Touch::Write : Touch::Read;
  const Moment at{now.epoch, number, now.thread};
  auto& all = cells_[s.param][element];
  if (!all.empty()) {
    Touched& old = all.back();
    if (old.run == run && old.op == s.index && old.kind == kind && old.last.epoch == now.epoch &&
        old.possible == now.possible) {
      if (old.first.thread != now.thread) old.first.thread = old.last.thread = -1;
      old.last.number = number;
      return;
    }
  }
  all.push_back({run, at, at, s.index, kind, now.possible});
}

}  // namespace barline::verify::proof
