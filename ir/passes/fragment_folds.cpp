// SPDX-License-Identifier: Apache-2.0
// A fold along an axis in the order of ir/order.h: a thread's elements of a row or column are one
// ascending chain, then the lanes that divide the axis meet in a butterfly, widest first.
#include <algorithm>
#include <map>

#include "ir/passes/fragments_p.h"
#include "ir/rewrite.h"

namespace barline::ir {
namespace {

/// Masks of the butterfly over the lanes that divide the axis, widest first.
std::vector<int> lane_masks(const Layout& l, int axis) {
  std::vector<int> masks;
  int weight = 1;
  for (const Digit& d : l.digits) {
    if (d.in != In::Lane) continue;
    for (int bit = 1; bit < d.extent; bit *= 2)
      if (d.axis == axis && d.step > 0) masks.push_back(weight * bit);
    weight *= static_cast<int>(d.extent);
  }
  std::reverse(masks.begin(), masks.end());
  return masks;
}

}  // namespace

std::vector<Groups> expand_fold(Builder& b, FragmentWorld& w, const Operation& fold,
                                const std::vector<Groups>& values) {
  const Layout& from = w.layout(fold.in[0]);
  const int axis = static_cast<int>(fold.attr(Key::Axis));
  int other = -1;
  for (int a : tile_axes(from))
    if (a != axis) other = a;
  // Registers by their place along the axis that stays, ascending along the one that goes.
  std::map<std::int64_t, std::vector<std::pair<std::int64_t, int>>> rows;
  for (int r = 0; r < registers(from); ++r) {
    std::int64_t row = other < 0 ? 0 : Places::of_register(from, other, r);
    rows[row].emplace_back(Places::of_register(from, axis, r), r);
  }
  std::vector<Groups> results(values.size());
  for (auto& [row, chain] : rows) {
    std::sort(chain.begin(), chain.end());
    std::vector<ValueId> acc;
    for (const auto& [place, r] : chain) {
      std::vector<ValueId> x;
      for (const Groups& g : values) {
        int size = group_size(from);
        x.push_back(size == 1 ? g[r] : w.extract(b, g[r / size], r % size));
      }
      acc = acc.empty() ? x : inline_combine(b, fold, acc, x);
    }
    for (int mask : lane_masks(from, axis)) {
      std::vector<ValueId> theirs;
      for (ValueId v : acc)
        theirs.push_back(b.emit(Op::Shuffle, {v, w.places.number(mask)},
                                {{Key::Mode, static_cast<std::int64_t>(ShuffleMode::Xor), {}}}));
      acc = inline_combine(b, fold, acc, theirs);
    }
    for (std::size_t i = 0; i < acc.size(); ++i) results[i].push_back(acc[i]);
  }
  return results;
}

}  // namespace barline::ir
