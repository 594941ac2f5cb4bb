// SPDX-License-Identifier: Apache-2.0
// The tile layer: stripes of rows, reductions over the block, masked at every edge by the compiler.
// No thread, lane, slot, copy or barrier is named here.
#pragma once

#include "dsl/body.h"
#include "dsl/reduce.h"

namespace barline::dsl {

class Tiles : public Body {
 public:
  using Body::Body;

  /// This block's position along the axis: one block an index, over the next grid dimension.
  Value index(const Axis& axis, Here here = Here::current());
  /// This thread's share of a place (one coordinate `all` or `part`, the innermost), floats widened
  /// to f32.
  Value stripe(const Place& place);
  /// The same, in the tensor's own element type.
  Value load(const Place& place);
  /// The element at a place of scalar coordinates, floats widened to f32.
  Value at(const Place& place);
  /// Writes a tile, rounded to the tensor's type, or a scalar (by one thread of the block).
  void store(const Place& place, Operand value);
  /// Position along the axis of each element of a tile, as s32.
  Value positions(const Value& tile, Here here = Here::current());

 private:
  int tile_layout(const Place& place);
  int grid_dim_of(int axis, std::int64_t per_block, const ir::Loc& loc);
};

/// Layout of a stripe of the axis under a schedule: narrows `vec` where the axis' bound extent does
/// not allow it, keeps the share in registers where it fits `stripe_cap`. `over_grid`: split over
/// blocks. `aligned`: the tensors over this axis have no other (their rows start at 0).
ir::StripeShape legalize_stripe(const ir::Schedule& s, const ir::Axis& axis, int axis_index,
                                bool over_grid, bool aligned);

}  // namespace barline::dsl
