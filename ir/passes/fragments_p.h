// SPDX-License-Identifier: Apache-2.0
// What the parts of expand_fragments share. A tile becomes groups of registers:
//
//   a tile over two axes   vectors of 4 elements: one atom's C, half its A, its B
//   a tile over one axis   scalars, one a register
//   s8, s4                 u32 words, one a group: the bytes or nibbles of its 4 elements. Half an
//                          A spans two rows: of the two groups of a step of the atom the first has
//                          the word of the upper rows, the second that of the lower ones
//
// Register groups are made where they are first used, so that loads, conversions and products of
// one step of the atom stand together and few of them live at once.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "ir/passes/fragment_places_p.h"

namespace barline::ir {

inline constexpr int group_of_two_axes = 4;

/// Elements of a register group, and groups of a tile.
int group_size(const Layout& layout);
int group_count(const Layout& layout);
/// The type of a group of a tile.
Type group_type(const Kernel& k, Type tile);

using Groups = std::vector<ValueId>;

class FragmentWorld {
 public:
  explicit FragmentWorld(Kernel& kernel);

  Kernel& k;
  Places places;

  const Layout& layout(ValueId tile) const { return k.layouts[k.type(tile).layout]; }
  const Root& root(ValueId pointer) const { return roots_.at(pointer); }
  /// The parameter that a load reads: its root's, or one that fills its slot.
  int source(const Operation& load) const;
  /// Size of an axis, of the last (0) or last but one (1) axis of what the root points at.
  ValueId size(int axis);
  /// A slot for what the load brings.
  ValueId add_slot(const std::string& name, const Operation& load, std::int64_t elements);
  ValueId size(Builder& b, const Root& root, int from_last);

  /// An integer as s64, as positions in a tensor are counted.
  ValueId wide(Builder& b, ValueId v) const;
  /// Four equal elements; a vector of the values in order.
  ValueId splat(Builder& b, ValueId x);
  ValueId pack(Builder& b, std::vector<ValueId> parts);
  /// Two groups as one operand of 8 elements; as it was loaded, if it was loaded so.
  ValueId join(Builder& b, ValueId low, ValueId high);
  void joined(ValueId low, ValueId high, ValueId both) { joined_[{low, high}] = both; }
  ValueId extract(Builder& b, ValueId v, int index, int lanes = 1);
  /// The integer that a value is known to be.
  std::optional<std::int64_t> known(ValueId v) const;

  /// Registers that the last wgmmas of a loop's trip read, and a wait in the next trip holds: the
  /// body's argument, and what the trip gives.
  struct Held {
    ValueId before = no_value, after = no_value;
  };
  std::vector<Held> held;

  /// What loads of register streams gave, and how many trips ahead they are to be made.
  std::map<ValueId, int> streamed;
  /// Of these, those of packed weights: no grid before writes them.
  std::set<ValueId> weights;
  /// The wait for the grid before stands at the kernel's head, and has not been moved yet.
  bool awaits = false;
  /// The indices of loops that every thread comes to.
  std::set<ValueId> outer_loops;

 private:
  std::map<ValueId, Root> roots_;
  std::map<int, int> param_of_slot_;
  std::map<ValueId, std::int64_t> constants_;
  std::map<std::pair<ValueId, ValueId>, ValueId> joined_;
};

/// Group g of a fragment_load, and others that the same access brings.
void load_group(Builder& b, FragmentWorld& w, const Operation& load, int g, Groups& groups);
/// Of a register stream that goes by way of shared memory: what brings it there, and the load from
/// there.
std::optional<Operation> staged(Builder& b, FragmentWorld& w, const Operation& load);
/// The cooperative copy of a box to a slot.
void expand_fill(Builder& b, FragmentWorld& w, const Operation& fill);
void expand_store(Builder& b, FragmentWorld& w, const Operation& store, const Groups& groups);
/// The groups of a tile by index, made when asked for.
using GroupSource = std::function<ValueId(int)>;
/// Do the two pairs of a group lie along different axes' neighbours: pairs along k, one of them 8
/// rows below the other? So lies A; of B both lie along k.
bool spans_rows(const Layout& layout);
/// Group g of a cast of an s8 or s4 load's words to f16, bf16 or f32.
ValueId decode_group(Builder& b, FragmentWorld& w, const Operation& load, const GroupSource& words,
                     int g, Elem to);
/// acc + a * b; groups of the operands are asked for where a step of the atom needs them.
Groups expand_dot(Builder& b, FragmentWorld& w, const Operation& dot, Groups acc,
                  const GroupSource& left, const GroupSource& right);
/// An operand of a product on a warpgroup's unit: in a slot as a load would read it, or in
/// registers.
struct UnitOperand {
  const Operation* load = nullptr;
  GroupSource groups;
};
/// The same by wgmma. Sums in flight stay so, the last group of products with them.
Groups expand_unit_dot(Builder& b, FragmentWorld& w, const Operation& dot, Groups acc,
                       const UnitOperand& left, const UnitOperand& right);
/// Sums handed over to wgmmas, and made values again when all of these are done.
Groups in_flight(Builder& b, FragmentWorld& w, const Groups& acc);
/// `held`: registers that these products read.
Groups landed(Builder& b, FragmentWorld& w, const Groups& acc, const Groups& held);
/// Makes the loop's loads of register streams ahead of their use; `before` takes what goes before
/// it: with a wait for the grid before, first the loads of weights, then that wait.
void prefetch(Builder& before, FragmentWorld& w, Operation& loop);
/// The sum of the parts that warps hold.
Groups expand_merge(Builder& b, FragmentWorld& w, const Operation& merge, const Groups& groups);
/// The sum of the parts that a cluster's blocks hold: a block's share of it. `first` of the kernel,
/// at whose begin there is a cluster_arrive.
Groups expand_cluster_merge(Builder& b, FragmentWorld& w, const Operation& merge,
                            const Groups& groups, bool first);
/// Folds along an axis: one Groups a value.
std::vector<Groups> expand_fold(Builder& b, FragmentWorld& w, const Operation& fold,
                                const std::vector<Groups>& values);

}  // namespace barline::ir
