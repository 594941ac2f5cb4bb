// SPDX-License-Identifier: Apache-2.0
// What the parts of expand_fragments share. A tile becomes groups of registers:
//
//   a tile over two axes   vectors of 4 elements: one atom's C, half its A, its B
//   a tile over one axis   scalars, one a register
//   s8, s4                 u32 words, one a group: the bytes or nibbles of its 4 elements
//
// Register groups are made where they are first used, so that loads, conversions and products of
// one step of the atom stand together and few of them live at once.
#pragma once

#include <functional>
#include <map>
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

 private:
  std::map<ValueId, Root> roots_;
  std::map<int, int> param_of_slot_;
  std::map<std::pair<ValueId, ValueId>, ValueId> joined_;
};

/// Group g of a fragment_load, and others that the same access brings.
void load_group(Builder& b, FragmentWorld& w, const Operation& load, int g, Groups& groups);
/// Group g of a cast of an s8 or s4 load's words to f16, bf16 or f32.
ValueId decode_group(Builder& b, FragmentWorld& w, const Operation& load, ValueId word, int g,
                     Elem to);
/// The cooperative copy of a box to a slot.
void expand_fill(Builder& b, FragmentWorld& w, const Operation& fill);
void expand_store(Builder& b, FragmentWorld& w, const Operation& store, const Groups& groups);
/// The groups of a tile by index, made when asked for.
using GroupSource = std::function<ValueId(int)>;
/// acc + a * b; groups of the operands are asked for where a step of the atom needs them.
Groups expand_dot(Builder& b, FragmentWorld& w, const Operation& dot, Groups acc,
                  const GroupSource& left, const GroupSource& right);
/// Folds along an axis: one Groups a value.
std::vector<Groups> expand_fold(Builder& b, FragmentWorld& w, const Operation& fold,
                                const std::vector<Groups>& values);

}  // namespace barline::ir
