// SPDX-License-Identifier: Apache-2.0
// The tile layer: stripes of rows, reductions over the block, masked at every edge by the compiler.
// No thread, lane, slot, copy or barrier is named here.
#pragma once

#include <array>

#include "dsl/body.h"
#include "dsl/matrix.h"
#include "dsl/reduce.h"
#include "ir/fragment.h"

namespace barline::dsl {

class Tiles : public Body {
 public:
  Tiles(ir::Kernel& kernel, const KernelSource& source, const ir::Schedule& schedule)
      : Body(kernel, source, schedule), prelude_builder_(kernel, prelude_) {}

  /// The sum over an axis of a product of two operands, f32 (s32 of s8): the block's tile of it.
  /// `product` is asked once, for a step along the axis.
  Tile sum(const Axis& over, const std::function<Product(Index)>& product,
           Here here = Here::current());

  // ---- steps along an axis, and tiles over pieces of axes: dsl/tile_steps.cpp
  /// The block's rows along the axis, of which the schedule's tile has m: one block each such
  /// piece, over the next grid dimension. `last_first`: the blocks that start first take the last
  /// rows, where those are the most work.
  Index rows(const Axis& axis, bool last_first = false, Here here = Here::current());
  /// body(s) for the steps of n positions (the schedule's tile) that begin before `limit`.
  void each(const Axis& axis, Operand limit, const std::function<void(Index)>& body);
  /// The product of a(m, k) and b(k, n), or of what an axis order of their own makes of these, over
  /// the axis that both have; m is the block's rows, and an axis that neither rows() nor each()
  /// took a piece of is bound and taken whole. f32 (s32 of s8). The second adds to a tile.
  Value dot(const TileFactor& a, const TileFactor& b, Here here = Here::current());
  Value dot(const TileFactor& a, const TileFactor& b, const Operand& acc);
  /// The same value all over the block's rows and all of a bound axis, or over the rows alone.
  Value full(const Index& rows, const Axis& whole, Operand value);
  Value full(const Index& rows, Operand value);
  /// What a tile has at most along the axis of `step`, and its sum: tiles over the rows.
  Value max_along(const Index& step, const Value& tile, Here here = Here::current());
  Value sum_along(const Index& step, const Value& tile, Here here = Here::current());
  /// Position along the axis of the step of each element of a tile, as s32.
  Value positions(const Index& step, const Value& tile, Here here = Here::current());
  /// The block's tile of a tensor over the rows and columns of a sum, or over one of them.
  Tile tile(const Place& place);
  /// Writes a tile, rounded to the tensor's type; what lies outside its axes is not written.
  void store(const Place& place, const Tile& tile);

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
  /// Ends the body: declares the schedule's rings and what the body uses of the block's place.
  void finish(const ir::Loc& loc);
  /// Position along the axis of each element of a tile, as s32.
  Value positions(const Value& tile, Here here = Here::current());

 private:
  int tile_layout(const Place& place);
  int grid_dim_of(int axis, std::int64_t per_block, const ir::Loc& loc);

  int rows_layout(int axis);
  std::int64_t whole(int axis, const ir::Loc& loc) const;
  struct TilePart;
  std::vector<TilePart> parts_of(const TileFactor& f, const ir::Loc& loc) const;
  std::array<TilePart, 3> pieces(const TileFactor& a, const TileFactor& b,
                                 const ir::Loc& loc) const;
  ir::ValueId place_of(const TileFactor& f, int layout);
  ir::ValueId first_factor(const TileFactor& f, int layout, const ir::Loc& loc);
  Value product(const TileFactor& a, const TileFactor& b, const Operand* acc, const ir::Loc& loc);
  Value fold(ir::Op op, const Index& step, const Value& tile, const ir::Loc& loc);

  // ---- which products: dsl/products.cpp
  struct Operands;
  Operands operands(const Product& p, const std::string& k_axis);
  bool plays_a(const Product& p) const;
  /// The block's tile as the matrix unit sees it, which takes it.
  ir::BlockTile unit_tile(const Operands& o, const ir::Loc& loc) const;

  // ---- sums of them: dsl/matrix_tiles.cpp
  struct Steps;
  struct PartTiles;
  Steps steps_of_block(const Axis& over, std::int64_t step, const ir::Loc& loc);
  PartTiles part_tiles(const Operands& o, std::size_t part, const ir::BlockTile& tile, int blocks,
                       const ir::Loc& loc);
  ir::ValueId add_part(const Product& p, const Operands& o, std::size_t part, const PartTiles& t,
                       ir::ValueId acc);
  Tile merged(const std::vector<ir::ValueId>& sums, const std::vector<PartTiles>& parts,
              int holders, const Operands& o, const Steps& steps);
  void take_share(const Operands& o, const PartTiles& part, const Steps& steps);
  Value trips_along(const Axis& over, std::int64_t step, const ir::Loc& loc);
  int layout(ir::Layout wanted);
  ir::ValueId fragment(const Factor& f, std::size_t part, std::size_t parts, int layout);
  ir::ValueId load_box(const Tensor& t, const Place& place, std::size_t part, std::size_t parts,
                       Elem elem, int layout, bool packed);
  const ir::Stream* stream_of(const std::string& name) const;

  // ---- where a block's tiles lie: dsl/tile_boxes.cpp
  ir::ValueId part_root(const Tensor& t, std::size_t part, std::size_t parts, const ir::Loc& loc);
  ir::ValueId part_base(const Tensor& t, const Place& place, std::size_t part);
  ir::ValueId coordinate(const Tensor& t, const Place& place, std::size_t from_last);
  ir::ValueId block_origin(const Axis& axis, const std::string& span, const ir::Loc& loc);
  ir::ValueId segment_origin(const Axis& axis, std::int64_t tile, const ir::Loc& loc);
  std::size_t part_count(const Tensor& t) const;
  int part_axis(const Axis& axis, std::size_t part, const ir::Loc& loc) const;

  ir::Region prelude_;  ///< what the whole body may use: the block's place in the grid
  ir::Builder prelude_builder_;
  ir::ValueId no_base_ = ir::no_value;               ///< s64 0
  std::map<std::string, ir::ValueId> origins_;       ///< by axis
  std::map<std::string, std::int64_t> block_tiles_;  ///< elements of an axis a block takes
};

/// Layout of a stripe of the axis under a schedule: narrows `vec` where the axis' bound extent does
/// not allow it, keeps the share in registers where it fits `stripe_cap`. `over_grid`: split over
/// blocks. `aligned`: the tensors over this axis have no other (their rows start at 0).
ir::StripeShape legalize_stripe(const ir::Schedule& s, const ir::Axis& axis, int axis_index,
                                bool over_grid, bool aligned);

}  // namespace barline::dsl
