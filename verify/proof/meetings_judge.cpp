// SPDX-License-Identifier: Apache-2.0
// Who knows what: blocks take turns until each has passed its waits, or none goes on; then pairs of
// accesses by two blocks are looked at, as a block's runs have them.
#include <fmt/format.h>
#include <algorithm>

#include "verify/proof/meetings.h"

namespace barline::verify::proof {
namespace {

using Kind = MeetEvent::Kind;

void add(Known& known, const Known& more) {
  for (const auto& [block, counters] : more) known[block].insert(counters.begin(), counters.end());
}

bool meet(const std::set<CounterAt>& a, const std::set<CounterAt>& b) {
  return std::any_of(a.begin(), a.end(), [&](const CounterAt& c) { return b.contains(c); });
}

}  // namespace

/// The blocks whose release or arrival ends a wait.
std::set<int> Meetings::sources(const MeetEvent& wait) const {
  std::set<int> blocks;
  const auto use = uses_.find(wait.counter);
  if (use == uses_.end() || wait.seen == 0) return blocks;
  for (auto [block, times] : use->second.arrivals) blocks.insert(block);
  for (auto [block, value] : use->second.releases) blocks.insert(block);
  return blocks;
}

void Meetings::check_waits(const BlockRun& run) {
  for (const MeetEvent& e : run.events) {
    if (e.kind != Kind::Wait) continue;
    const auto use = uses_.find(e.counter);
    const int total = use == uses_.end() ? 0 : use->second.total();
    if (e.seen == 0)
      find(Property::Meeting, Verdict::Refuted, e.op, run.block, e.counter,
           fmt::format("block {} goes on by what an earlier launch left in {}; wait for this "
                       "launch's generation",
                       run.block, name(e.counter)));
    else if (total > 0 && e.seen == 1)
      find(Property::Meeting, Verdict::Refuted, e.op, run.block, e.counter,
           fmt::format("block {} goes on when {} of {} blocks have arrived at {}; count as many "
                       "parts as blocks arrive",
                       run.block, total - 1, total, name(e.counter)));
    if (!plan_.kernel->launch.cooperative)
      find(Property::Deadlock, Verdict::Refuted, e.op, run.block, e.counter,
           fmt::format("block {} waits for another, which may not be resident; launch the grid "
                       "cooperatively (.cooperative = true)",
                       run.block));
    else
      recorder_.precondition(
          "all blocks of the grid are resident at once, as a cooperative launch makes sure");
  }
}

/// Up to the first wait whose sources have not come.
bool Meetings::advance(const BlockRun& run, std::size_t& at, Known& known) {
  const std::size_t before = at;
  for (; at < run.events.size(); ++at) {
    const MeetEvent& e = run.events[at];
    if (e.kind == Kind::Wait) {
      const std::set<int> from = sources(e);
      for (int block : from)
        if (!done_.contains({block, e.counter})) return at != before;
      for (int block : from)
        if (e.acquires && (from.size() == 1 || !uses_[e.counter].arrivals.empty()))
          add(known, published_[{block, e.counter}]);
      continue;
    }
    done_.insert({run.block, e.counter});
    if (!e.releases) continue;
    Known& shown = published_[{run.block, e.counter}];
    shown = known;
    shown[run.block].insert(e.counter);
  }
  return at != before;
}

/// Runs that win nothing that is open come first for each block.
void Meetings::follow_waits() {
  std::map<int, const BlockRun*> first;
  for (const BlockRun& run : runs_) first.try_emplace(run.block, &run);
  std::map<int, std::pair<std::size_t, Known>> state;
  for (bool moved = true; moved;) {
    moved = false;
    for (auto [block, run] : first)
      moved = advance(*run, state[block].first, state[block].second) || moved;
  }
  for (auto [block, run] : first) {
    const std::size_t at = state[block].first;
    if (at == run->events.size()) continue;
    const MeetEvent& e = run->events[at];
    std::string missing;
    for (int from : sources(e))
      if (missing.empty() && !done_.contains({from, e.counter})) missing = std::to_string(from);
    return find(Property::Deadlock, Verdict::Refuted, e.op, block, e.counter,
                fmt::format("block {} waits for {}, which block {} comes to only after a wait that "
                            "follows from block {}; release and arrive before waiting",
                            block, name(e.counter), missing, block));
  }
}

/// What a run knows from its waits and from the elections that it wins.
void Meetings::learn(BlockRun& run) {
  Known known;
  for (const MeetEvent& e : run.events) {
    if (!e.acquires) continue;
    std::set<int> from;
    if (e.kind == Kind::Wait) from = sources(e);
    if (e.kind == Kind::Arrive && run.wins.contains(e.counter))
      for (auto [block, times] : uses_[e.counter].arrivals) from.insert(block);
    if (e.kind == Kind::Wait && from.size() > 1 && uses_[e.counter].arrivals.empty()) continue;
    if (e.kind == Kind::Wait && !uses_[e.counter].arrivals.empty() && e.seen < 2) continue;
    if (from.empty()) continue;
    for (int block : from) add(known, published_[{block, e.counter}]);
    run.learnt.emplace_back(e.at, known);
  }
}

/// `a` before a release that is known where `b` is.
bool Meetings::ordered(const Touched& a, const Touched& b) const {
  const BlockRun &ra = runs_[a.run], &rb = runs_[b.run];
  for (const auto& [when, known] : rb.learnt) {
    if (!when.before(b.first)) continue;
    const auto of = known.find(ra.block);
    if (of == known.end()) continue;
    for (const MeetEvent& e : ra.events)
      if (e.kind != Kind::Wait && of->second.contains(e.counter) && a.last.before(e.at))
        return true;
  }
  return false;
}

void Meetings::conflict(int param, std::int64_t element, const Touched& a, const Touched& b) {
  if (!reported_.insert({a.op, b.op}).second) return;
  const bool sure = sure_ && !a.possible && !b.possible && !plan_.orders;
  ProofFinding f;
  f.property = Property::GlobalRace;
  f.verdict = sure ? Verdict::Refuted : Verdict::Unknown;
  f.blocks[0] = runs_[a.run].block;
  f.blocks[1] = runs_[b.run].block;
  f.threads[0] = a.first.thread;
  f.threads[1] = b.first.thread;
  f.buffer = plan_.kernel->params[param].name;
  f.element = element;
  f.message = fmt::format(
      "{}block {} and block {} meet at {}[{}]; no release after the one is waited for before the "
      "other",
      sure ? "" : "as far as this proof follows, ", f.blocks[0], f.blocks[1], f.buffer, element);
  recorder_.add(std::move(f), a.op, b.op);
}

/// Each pair of which one writes.
void Meetings::judge_cell(int param, std::int64_t element, const std::vector<Touched>& all) {
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (!is_write(all[i].kind)) continue;
    for (std::size_t j = 0; j < all.size(); ++j) {
      if (is_write(all[j].kind) && j <= i) continue;
      const Touched &a = all[std::min(i, j)], &b = all[std::max(i, j)];
      const BlockRun &ra = runs_[a.run], &rb = runs_[b.run];
      if (ra.block == rb.block || !conflicting(a.kind, b.kind) || meet(ra.wins, rb.wins)) continue;
      if (!ordered(a, b) && !ordered(b, a)) conflict(param, element, a, b);
    }
  }
}

void Meetings::judge(bool sure) {
  sure_ = sure;
  recorder_.begin_case(sizes_);
  for (const BlockRun& run : runs_) check_waits(run);
  follow_waits();
  for (BlockRun& run : runs_) learn(run);
  for (const auto& [param, elements] : cells_) {
    std::vector<std::int64_t> in_order;
    for (const auto& [element, all] : elements) in_order.push_back(element);
    std::sort(in_order.begin(), in_order.end());
    for (std::int64_t element : in_order) judge_cell(param, element, elements.at(element));
  }
}

}  // namespace barline::verify::proof
