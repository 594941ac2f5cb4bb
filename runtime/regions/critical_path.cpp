// SPDX-License-Identifier: Apache-2.0
#include "runtime/regions/critical_path.h"

#include <algorithm>

#include "runtime/regions/reduce.h"

namespace barline::regions {
namespace {

constexpr std::size_t longest = 64;  ///< segments of a path

class Path {
 public:
  Path(const Samples& s, const Launch& l)
      : table_(s.table), launch_(l), tolerance_(s.clocks.timer_step) {}

  CriticalPath run() {
    find_arriver();
    if (out_.last_arriver == no_block) return out_;
    measure_idle();
    walk_back();
    return out_;
  }

 private:
  bool is(std::size_t region, Class c) const { return table_[region].klass == c; }

  const Visit* elected_visit(const Block& b) const {
    const Visit* found = nullptr;
    for (std::size_t r = 0; r < table_.size(); ++r)
      if (is(r, Class::DynamicSingleBlock) && b.visits[r].placed &&
          (!found || b.visits[r].last > found->last))
        found = &b.visits[r];
    return found;
  }

  /// Where the block's work ended, that of an elected region apart; negative: it had none.
  double done(const Block& b) const {
    double last = -1;
    for (std::size_t r = 0; r < table_.size(); ++r)
      if (is(r, Class::Work) && b.visits[r].placed) last = std::max(last, b.visits[r].last);
    return last;
  }

  void find_arriver() {
    double latest = -1;
    for (const Block& b : launch_.blocks)
      if (const Visit* v = elected_visit(b); v && v->last > latest) {
        latest = v->last;
        out_.last_arriver = b.index;
        out_.elected = true;
      }
    if (!out_.elected)
      for (const Block& b : launch_.blocks) {
        const double end = table_.empty() || done(b) < 0 ? (b.ran ? b.end : -1) : done(b);
        if (end <= latest) continue;
        latest = end;
        out_.last_arriver = b.index;
      }
  }

  void measure_idle() {
    const Block& last = launch_.blocks[out_.last_arriver];
    out_.arrived = std::max(0.0, done(last));
    if (const Visit* v = elected_visit(last)) out_.meeting = v->first - out_.arrived;
    std::vector<double> idle;
    for (const Block& b : launch_.blocks)
      if (b.index != last.index && done(b) >= 0)
        idle.push_back(std::max(0.0, out_.arrived - done(b)));
    if (idle.empty()) return;
    out_.idle_median = quantile(idle, 0.5);
    out_.idle_max = quantile(idle, 1);
  }

  /// The placed region of the block that ended last at or before `t`, of those that began before.
  std::size_t region_before(const Block& b, double t) const {
    std::size_t best = table_.size();
    for (std::size_t r = 0; r < table_.size(); ++r) {
      const Visit& v = b.visits[r];
      if (!v.placed || v.last > t || v.first >= t) continue;
      if (best == table_.size() || v.last > b.visits[best].last) best = r;
    }
    return best;
  }

  /// The other block whose work ended last at or before `t`, of the regions that stand before the
  /// wait in the table, which is in the order of the kernel's text: what comes after it releases
  /// nobody.
  const Block* released_by(const Block& waiting, std::size_t wait, double t, double& at) const {
    const Block* by = nullptr;
    at = -1;
    for (const Block& b : launch_.blocks)
      for (std::size_t r = 0; r < wait && b.index != waiting.index; ++r) {
        const Visit& v = b.visits[r];
        if (!is(r, Class::Work) || !v.placed || v.last > t + tolerance_ || v.last <= at) continue;
        at = std::min(v.last, t);
        by = &b;
      }
    return by;
  }

  /// Adds region r of the block, with every region that comes in turn with it; where it begins.
  double add_in_turn(const Block& b, std::size_t r) {
    const double to = b.visits[r].last;
    double from = b.visits[r].first;
    std::vector<bool> in(table_.size());
    in[r] = true;
    for (bool grown = true; grown;) {
      grown = false;
      for (std::size_t q = 0; q < table_.size(); ++q) {
        const Visit& v = b.visits[q];
        if (in[q] || !v.placed || v.first >= to || v.last <= from) continue;
        in[q] = grown = true;
        from = std::min(from, v.first);
      }
    }
    std::string names;
    for (std::size_t q = 0; q < table_.size(); ++q)
      if (in[q]) names += (names.empty() ? "" : " + ") + table_[q].name;
    out_.segments.push_back({b.index, names, from, to});
    return from;
  }

  void walk_back() {
    const Block* b = &*std::max_element(launch_.blocks.begin(), launch_.blocks.end(),
                                        [](const Block& x, const Block& y) {
                                          return x.ran < y.ran || (x.ran == y.ran && x.end < y.end);
                                        });
    double t = b->end;
    while (t > b->begin && out_.segments.size() < longest) {
      const std::size_t r = region_before(*b, t);
      const double last = r < table_.size() ? b->visits[r].last : b->begin;
      if (last < t) out_.segments.push_back({b->index, "", last, t});
      if (r == table_.size()) break;
      const Visit& v = b->visits[r];
      double released = 0;
      const Block* by = is(r, Class::Wait) ? released_by(*b, r, v.last, released) : nullptr;
      const bool jumps = by && released > v.first;
      if (v.count > 1 && !jumps) {
        t = add_in_turn(*b, r);
        continue;
      }
      out_.segments.push_back({b->index, table_[r].name, jumps ? released : v.first, v.last});
      t = out_.segments.back().from;
      if (jumps) b = by;
    }
    std::reverse(out_.segments.begin(), out_.segments.end());
  }

  const std::vector<Region>& table_;
  const Launch& launch_;
  double tolerance_;  ///< ns that blocks' time lines may lie apart
  CriticalPath out_;
};

}  // namespace

CriticalPath critical_path(const Samples& samples, const Launch& launch) {
  return Path(samples, launch).run();
}

}  // namespace barline::regions
