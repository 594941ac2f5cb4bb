// SPDX-License-Identifier: Apache-2.0
// Loop bounds are evaluated for one thread as functions of the sizes; galloping finds the smallest
// size that gives each wanted trip count. Sizes that no loop depends on take a few values around
// the block's share. One dimension varies at a time around a base case, all together if few.
#include "verify/proof/sizes.h"

#include <fmt/format.h>
#include <algorithm>
#include <functional>
#include <optional>
#include <set>

#include "ir/extents.h"
#include "ir/rewrite.h"
#include "verify/proof/eval.h"

namespace barline::verify::proof {
namespace {

using ir::Op;
using ir::Operation;
using ir::ValueId;

constexpr std::int64_t largest = std::int64_t{1} << 22;

/// Evaluates pure integer values of thread 0 of block 0; loop variables take their first value.
class OneThread {
 public:
  OneThread(const ir::Kernel& k, const Sizes& s) : k_(k), values_(k.values.size()) {
    for (std::size_t i = 0; i < k.axis_sizes.size(); ++i)
      if (k.axis_sizes[i] != ir::no_value) values_[k.axis_sizes[i]].set_uniform(s.axes[i]);
    for (std::size_t i = 0; i < k.params.size(); ++i)
      if (k.params[i].type.is_scalar() && ir::is_int(k.params[i].type.elem))
        values_[k.params[i].value].set_uniform(s.scalars[i]);
    for (int d = 0; d < 3; ++d) ids_.grid[d] = grid_count(k, s, d);
    if (k.launch.persistent) {  // as many blocks as tiles, side by side
      ids_.grid[0] *= ids_.grid[1] * ids_.grid[2];
      ids_.grid[1] = ids_.grid[2] = 1;
    }
  }

  /// Calls visit(trips) on every for loop, in order; -1 where its bounds are not known.
  void run(const ir::Region& r, const std::function<void(std::int64_t)>& visit) {
    for (const Operation& op : r.ops) {
      if (op.is(Op::For)) loop(op, visit);
      for (const ir::Region& inner : op.regions) run(inner, visit);
      if (op.has(ir::Pure) && op.out.size() == 1 && !op.has(ir::Convergent)) {
        bool zero = false;
        std::uint8_t active = 1;
        evaluate(k_, op, values_, ids_, {&active, 1}, zero);
      }
    }
  }

 private:
  void loop(const Operation& op, const std::function<void(std::int64_t)>& visit) {
    const Value &lo = values_[op.in[0]], &hi = values_[op.in[1]], &step = values_[op.in[2]];
    bool known = lo.is_known() && hi.is_known() && step.is_known() && step.at(0) > 0;
    visit(known ? std::max<std::int64_t>(0, (hi.at(0) - lo.at(0) + step.at(0) - 1) / step.at(0))
                : -1);
    if (lo.is_known()) values_[op.regions[0].args[0]].set_uniform(lo.at(0));
  }

  const ir::Kernel& k_;
  std::vector<Value> values_;
  Ids ids_;
};

/// One dynamic axis or integer scalar.
struct Dimension {
  std::string name;
  int axis = -1;
  int param = -1;
  std::int64_t multiple = 1;
  std::int64_t share = 0;          ///< elements of a block along a dimension of the grid
  std::set<std::int64_t> rests{};  ///< divisors whose rest the kernel asks for

  std::int64_t in(const Sizes& s) const { return axis >= 0 ? s.axes[axis] : s.scalars[param]; }
  /// Sets it, and what derives from it.
  void set(const ir::Kernel& k, Sizes& s, std::int64_t v) const {
    (axis >= 0 ? s.axes[axis] : s.scalars[param]) = v;
    ir::derive_sizes(k, s.axes);
  }
  std::int64_t rounded(std::int64_t v) const {
    return std::max(multiple, (v + multiple - 1) / multiple * multiple);
  }
};

/// What the kernel divides a size by to ask for the rest, by the size: vectors and pairs of a row
/// whose length is known at launch. Segments choose among sizes.
class AskedRests {
 public:
  explicit AskedRests(const ir::Kernel& k) : k_(k), defs_(ir::definitions(k)) {
    ir::walk(k.body, [&](const Operation& op) {
      if (!op.is(Op::Rem)) return;
      const Operation* by = defs_[op.in[1]];
      if (by && by->is(Op::Const)) add(op.in[0], ir::constant_value(k, *by));
    });
  }
  const std::set<std::int64_t>& of(ValueId size) { return rests_[size]; }

 private:
  void add(ValueId v, std::int64_t n) {
    if (std::ranges::find(k_.axis_sizes, v) != k_.axis_sizes.end()) rests_[v].insert(n);
    const Operation* op = defs_[v];
    if (!op || !(op->is(Op::Select) || op->is(Op::Cast))) return;
    for (std::size_t i = op->is(Op::Select) ? 1 : 0; i < op->in.size(); ++i) add(op->in[i], n);
  }

  const ir::Kernel& k_;
  std::vector<const Operation*> defs_;
  std::map<ValueId, std::set<std::int64_t>> rests_;
};

/// Elements of axis `of` that a block has if `axis`, which may derive from it, is in the grid.
std::int64_t share_of(const ir::Kernel& k, const ir::GridDim& g, int axis, int of) {
  if (axis == of) return g.per_block;
  const ir::Axis& a = k.axes[axis];
  return a.of == of ? std::max<std::int64_t>(g.per_block * a.per / a.times, 1) : 0;
}

std::vector<Dimension> dimensions(const ir::Kernel& k) {
  std::vector<Dimension> all;
  AskedRests rests(k);
  for (std::size_t i = 0; i < k.axes.size(); ++i) {
    if (!ir::is_dynamic(k.axes[i])) continue;
    Dimension d{k.axes[i].name,           static_cast<int>(i), -1, k.axes[i].multiple, 0,
                rests.of(k.axis_sizes[i])};
    for (const ir::GridDim& g : k.launch.grid) {
      if (g.axis >= 0) d.share = std::max(d.share, share_of(k, g, g.axis, d.axis));
      for (int also : g.also) d.share = std::max(d.share, share_of(k, g, also, d.axis));
    }
    all.push_back(std::move(d));
  }
  for (std::size_t i = 0; i < k.params.size(); ++i)
    if (k.params[i].type.is_scalar() && ir::is_int(k.params[i].type.elem))
      all.push_back({k.params[i].name, -1, static_cast<int>(i), 1, 0, {}});
  return all;
}

std::vector<std::int64_t> trip_counts(const ir::Kernel& k, const Sizes& s) {
  std::vector<std::int64_t> trips;
  OneThread(k, s).run(k.body, [&](std::int64_t t) { trips.push_back(t); });
  return trips;
}

/// The smallest value of `d` that gives loop `loop` at least `trips`; nothing if none does.
std::optional<std::int64_t> least_for(const ir::Kernel& k, Sizes s, const Dimension& d,
                                      std::size_t loop, std::int64_t trips) {
  auto enough = [&](std::int64_t v) {
    d.set(k, s, v);
    return trip_counts(k, s)[loop] >= trips;
  };
  std::int64_t low = 0, high = d.multiple;
  while (!enough(high)) {
    low = high;
    high *= 2;
    if (high > largest) return std::nullopt;
  }
  while (high - low > d.multiple) {
    std::int64_t middle = d.rounded(low + (high - low) / 2);
    if (middle >= high) break;
    (enough(middle) ? high : low) = middle;
  }
  return high;
}

void add_loop_values(const ir::Kernel& k, const Sizes& base, const Dimension& d, std::size_t loop,
                     int trips, std::set<std::int64_t>& values) {
  std::int64_t last = 0;
  for (int t = 1; t <= trips; ++t) {
    std::optional<std::int64_t> v = least_for(k, base, d, loop, t);
    if (!v) return;
    values.insert(*v);
    values.insert(d.rounded(std::max<std::int64_t>(1, *v - d.multiple)));  // all trips before full
    if (t == 2 || t == trips) {  // ragged ends, one of them on a vector's boundary
      std::int64_t half = last + (*v - last) / 2;
      values.insert(d.rounded(half));
      values.insert(d.rounded((half + 15) / 16 * 16));
    }
    last = *v;
  }
}

/// Values of one dimension with the others as in `base`.
std::set<std::int64_t> values_of(const ir::Kernel& k, const Sizes& base, const Dimension& d,
                                 int trips) {
  std::set<std::int64_t> values{d.multiple};
  Sizes small = base, large = base;
  d.set(k, small, d.multiple);
  d.set(k, large, largest / 2 / d.multiple * d.multiple);
  std::vector<std::int64_t> few = trip_counts(k, small), many = trip_counts(k, large);
  for (std::size_t loop = 0; loop < few.size(); ++loop)
    if (few[loop] >= 0 && many[loop] > few[loop]) add_loop_values(k, base, d, loop, trips, values);
  if (d.param >= 0) {
    values.insert({0, 1, 2, 5});
    if (ir::is_signed(k.params[d.param].type.elem)) values.insert({-1, -7});
    return values;
  }
  bool looped = values.size() > 1;
  if (d.share) values.insert({d.rounded(d.share), d.rounded(2 * d.share + (d.share + 1) / 2)});
  for (std::int64_t n : d.rests) {  // half of it is left: the next smaller piece fits
    const std::int64_t whole = (2 * d.share + n - 1) / n * n;
    if (n / 2 > 0 && n / 2 % d.multiple == 0) values.insert(whole + n / 2);
  }
  if (!looped && !d.share) {
    std::int64_t threads = k.launch.block_threads();
    values.insert({d.rounded(2), d.rounded(threads), d.rounded(threads + threads / 2 + 1)});
  }
  return values;
}

}  // namespace

std::string to_string(const ir::Kernel& k, const Sizes& s) {
  std::string text;
  for (const Dimension& d : dimensions(k))
    text += fmt::format("{}{}={}", text.empty() ? "" : " ", d.name, d.in(s));
  return text;
}

std::int64_t grid_count(const ir::Kernel& k, const Sizes& s, int dim) {
  return ir::blocks(k.launch.grid[dim], s.axes);
}

std::vector<Sizes> choose_sizes(const ir::Kernel& k,
                                const std::map<std::string, std::int64_t>& fixed, int trips,
                                int max_cases) {
  Sizes base{std::vector<std::int64_t>(k.axes.size(), 1),
             std::vector<std::int64_t>(k.params.size(), 0)};
  for (std::size_t i = 0; i < k.axes.size(); ++i) base.axes[i] = k.axes[i].bound.value_or(1);
  ir::derive_sizes(k, base.axes);
  std::vector<Dimension> open;
  for (const Dimension& d : dimensions(k)) {
    auto it = fixed.find(d.name);
    d.set(k, base,
          it != fixed.end() ? it->second
          : d.share         ? d.rounded(2 * d.share + (d.share + 1) / 2)
                            : d.rounded(3));
    if (it == fixed.end()) open.push_back(d);
  }
  std::vector<std::vector<std::int64_t>> values;
  for (const Dimension& d : open) {
    std::set<std::int64_t> v = values_of(k, base, d, trips);
    values.emplace_back(v.rbegin(), v.rend());
    d.set(k, base, values.back().front());  // the largest: later dimensions see long loops
  }
  std::vector<Sizes> cases{base};
  std::size_t product = 1;
  for (const auto& v : values) product *= std::min<std::size_t>(v.size(), 1000);
  bool together = product <= static_cast<std::size_t>(std::min(max_cases, 16));
  for (std::size_t i = 0; i < open.size(); ++i) {
    std::vector<Sizes> from = together ? cases : std::vector<Sizes>{base};
    for (std::size_t n = 1; n < values[i].size(); ++n)
      for (Sizes s : from) {
        open[i].set(k, s, values[i][n]);
        cases.push_back(std::move(s));
      }
  }
  if (!together) {
    Sizes smallest = base;
    for (std::size_t i = 0; i < open.size(); ++i) open[i].set(k, smallest, values[i].back());
    cases.push_back(std::move(smallest));
  }
  if (cases.size() > static_cast<std::size_t>(max_cases)) cases.resize(max_cases);
  return cases;
}

}  // namespace barline::verify::proof
