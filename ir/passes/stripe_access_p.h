// SPDX-License-Identifier: Apache-2.0
// One step of a stripe: the `vec` neighbouring elements that a thread holds of one chunk, and how
// memory is reached for them.
#pragma once

#include <map>
#include <vector>

#include "ir/builder.h"

namespace barline::ir {

/// How the edge of the axis is kept off.
enum class Edge {
  None,     ///< every element is inside: vector accesses, no predicate
  Vector,   ///< a vector is inside or outside as a whole: predicated vector accesses
  Element,  ///< any element may be outside: predicated scalar accesses
};

/// Values that hold for a whole layout, computed at the head of the kernel.
struct StripeFrame {
  StripeShape shape;
  ValueId first = no_value;     ///< s32: position of this thread's first element
  ValueId first64 = no_value;   ///< the same as s64
  ValueId size = no_value;      ///< s32: the axis' size
  std::int64_t bound = 0;       ///< the axis' size if known at compile time, else 0
  bool whole_vectors = false;   ///< the size is known to be a multiple of vec
  bool starts_aligned = false;  ///< the tensors over the axis have no other: their rows start at 0

  /// Elements that a block takes of an axis split over the grid.
  std::int64_t per_block() const { return shape.chunks * shape.threads * shape.vec; }
};

/// One chunk of one layout. Positions are first + shift + offset, where shift is a loop's variable.
struct StripeStep {
  const StripeFrame* frame = nullptr;
  Edge edge = Edge::None;
  ValueId shift = no_value;       ///< s32, or none
  std::int64_t offset = 0;        ///< elements
  std::vector<ValueId> active{};  ///< i1: one (Vector), one an element (Element), none (None)
  std::map<ValueId, std::vector<ValueId>> memo{};  ///< elements of tiles computed in this step

  /// The predicate of element j, or no_value.
  ValueId active_at(int j) const {
    return active.empty() ? no_value : active.size() == 1 ? active[0] : active[j];
  }
};

/// Computes the step's predicates for its edge.
void open_step(Builder& b, StripeStep& step);
/// s32 position of element j along the axis.
ValueId step_position(Builder& b, const StripeStep& step, int j);
/// The elements that a tile_load names.
std::vector<ValueId> load_step(Builder& b, const StripeStep& step, const Operation& tile_load);
/// Writes the elements as a tile_store does.
void store_step(Builder& b, const StripeStep& step, const Operation& tile_store,
                const std::vector<ValueId>& elements);

}  // namespace barline::ir
