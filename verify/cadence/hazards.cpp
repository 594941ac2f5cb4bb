// SPDX-License-Identifier: Apache-2.0
// The loop is laid out from step 0 on until every slot has come round once more: a hazard that
// begins in step 0 stands for those of all steps. A barrier orders it if it stands between the two
// accesses and, where the first is an asynchronous copy, waits for that copy's group. What follows
// from two shorter hazards is left out unless one barrier alone orders it.
#include "verify/cadence/hazards_p.h"

#include <algorithm>
#include <map>
#include <tuple>

namespace barline::verify::cadence {
namespace {

/// Laid-out steps at most: slots have few copies.
constexpr int most_steps = 32;

class Layout {
 public:
  Layout(const ir::Kernel& k, CadenceLoop& loop, const std::vector<Item>& items,
         const std::vector<AccessOps>& ops)
      : loop_(loop), ops_(ops), conflicts_(k) {
    int commits = 0;
    for (const Item& item : items) {
      commits_.push_back(commits);
      commits += item.kind == Item::Commit;
      if (item.kind == Item::Barrier) barrier_at_.push_back(commits_.size() - 1);
    }
    commits_.push_back(commits);
  }

  void run() {
    int steps = std::min(loop_.period + 1, most_steps);
    for (int from = 0; from < count(); ++from)
      for (int to = 0; to < count(); ++to)
        for (int d = 0; d <= steps; ++d) try_pair(from, to, d);
    for (const auto& [key, barriers] : found_) attribute(key, barriers);
    for (int a = 0; a < count(); ++a)
      if (loop_.accesses[a].kind == CadenceAccess::Copy)
        loop_.accesses[a].flight = flight(a, steps);
  }

 private:
  using Key = std::tuple<int, int, int>;  ///< from, to, steps

  int count() const { return static_cast<int>(loop_.accesses.size()); }

  void try_pair(int from, int to, int steps) {
    const CadenceAccess &a = loop_.accesses[from], &b = loop_.accesses[to];
    int begin = a.epoch, end = steps * loop_.epochs() + b.epoch;
    if (a.slot != b.slot || end <= begin || !meet(from, to, steps)) return;
    std::vector<int>& barriers = found_[{from, to, steps}];
    for (int at = begin + 1; at <= end; ++at)
      if (a.kind != CadenceAccess::Copy || landed(from, at)) barriers.push_back(at);
  }

  bool meet(int from, int to, int steps) {
    const CadenceAccess &a = loop_.accesses[from], &b = loop_.accesses[to];
    const CadenceSlot& slot = loop_.slots[a.slot];
    if (a.copy && b.copy && (*b.copy + slot.rate * steps - *a.copy) % slot.copies != 0)
      return false;
    for (const ir::SlotAccess& x : ops_[from].ops)
      for (const ir::SlotAccess& y : ops_[to].ops)
        if (conflict(x, y, steps)) return true;
    return false;
  }

  /// The copies are known to be the same. What an index has besides thread forms is another value
  /// in another step.
  bool conflict(ir::SlotAccess x, ir::SlotAccess y, int steps) {
    x.use = y.use = {};
    if (steps > 0 && x.index && !x.index->symbols.empty()) x.index = nullptr;
    return conflicts_(x, y);
  }

  /// Has a copy of step 0 landed after the barrier that opens this epoch, counted from step 0?
  bool landed(int access, int epoch) const {
    const CadenceBarrier& b = loop_.barriers[epoch % loop_.epochs()];
    int closed = commits_.back() * (epoch / loop_.epochs()) +
                 commits_[barrier_at_[epoch % loop_.epochs()]] - commits_[ops_[access].last];
    return b.pending && closed > *b.pending;
  }

  /// None where no barrier waits for it within so many steps.
  int flight(int access, int steps) const {
    int begin = loop_.accesses[access].epoch + 1;
    for (int at = begin; at < (steps + 1) * loop_.epochs(); ++at)
      if (landed(access, at)) return at - begin;
    return 0;
  }

  /// Do two shorter hazards make this one?
  bool follows(const Key& key) const {
    auto [from, to, steps] = key;
    for (int mid = 0; mid < count(); ++mid)
      for (int d = 0; d <= steps; ++d)
        if (found_.contains({from, mid, d}) && found_.contains({mid, to, steps - d})) return true;
    return false;
  }

  void attribute(const Key& key, const std::vector<int>& barriers) {
    if (barriers.size() != 1 && follows(key)) return;
    auto [from, to, steps] = key;
    CadenceHazard hazard{.from = from, .to = to, .steps = steps};
    bool writes = loop_.accesses[from].kind != CadenceAccess::Read;
    bool written = loop_.accesses[to].kind != CadenceAccess::Read;
    hazard.kind = !writes    ? CadenceHazard::WriteAfterRead
                  : !written ? CadenceHazard::ReadAfterWrite
                             : CadenceHazard::WriteAfterWrite;
    hazard.lands = loop_.accesses[from].kind == CadenceAccess::Copy;
    if (barriers.empty()) loop_.open.push_back(hazard);
    for (int at : barriers) {
      CadenceBarrier& b = loop_.barriers[at % loop_.epochs()];
      (barriers.size() == 1 ? b.alone : b.shared).push_back({hazard, at / loop_.epochs()});
    }
  }

  CadenceLoop& loop_;
  const std::vector<AccessOps>& ops_;
  ir::Conflicts conflicts_;
  std::vector<int> commits_;               ///< before each item, and at the end of the step
  std::vector<std::size_t> barrier_at_;    ///< position of a barrier among the items
  std::map<Key, std::vector<int>> found_;  ///< and the epochs whose barriers order it
};

}  // namespace

void order_hazards(const ir::Kernel& k, CadenceLoop& loop, const std::vector<Item>& items,
                   const std::vector<AccessOps>& ops) {
  Layout(k, loop, items, ops).run();
}

}  // namespace barline::verify::cadence
