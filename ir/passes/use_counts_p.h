// SPDX-License-Identifier: Apache-2.0
// Which values count the uses of a rotating slot, and how an access is said in terms of them when
// control flows along an edge: into a loop, back to its head, out of it, out of a branch.
#pragma once

#include <map>
#include <utility>
#include <vector>

#include "ir/effects.h"

namespace barline::ir {

/// Control passes values on: to[i + skip_to] takes from[i + skip_from]. On the edges into a loop
/// and back to its head, `index` takes index_from.
struct Edge {
  const std::vector<ValueId>& from;
  std::size_t skip_from;
  const std::vector<ValueId>& to;
  std::size_t skip_to;
  ValueId index = no_value;
  Use index_from{};
};

class UseCounts {
 public:
  /// Both must outlive this object.
  UseCounts(const Kernel& k, const SlotEffects& effects);

  /// The edges into a `for` and back to its head.
  Edge into(const Operation& loop) const;
  Edge back(const Operation& loop) const;

  /// Says the access' use count in terms of the edge's `to`: where from[i] is base + n and the
  /// access is at base + o, it is at to[i] + (o - n); likewise for multiples of the base. False if
  /// no value of the edge tells.
  bool rename(SlotAccess& access, const Edge& edge) const;

 private:
  std::vector<Edge> edges(const Operation& op) const;
  bool spread(const Edge& edge);
  bool add(int slot, const Use& use, std::int64_t factor);

  const Kernel& k_;
  const SlotEffects& effects_;
  std::map<std::pair<int, ValueId>, std::int64_t>
      drivers_;  ///< (slot, value that counts its uses) -> uses that it counts at once
};

}  // namespace barline::ir
