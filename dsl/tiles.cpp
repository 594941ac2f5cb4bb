// SPDX-License-Identifier: Apache-2.0
#include "dsl/tiles.h"

#include <fmt/format.h>
#include <bit>
#include <numeric>

#include "ir/fragment.h"

namespace barline::dsl {
namespace {

using ir::Diag;
using ir::Op;

std::int64_t ceil_div(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

bool is_spread(const Coord& c) {
  return std::holds_alternative<All>(c) || std::holds_alternative<Part>(c);
}

Value widened(const Value& v, const ir::Loc& loc) {
  bool narrow = ir::is_float(v.elem()) && ir::bits(v.elem()) < 32;
  return narrow ? v.to(f32, Rounding::Rn, loc) : v;
}

}  // namespace

ir::StripeShape legalize_stripe(const ir::Schedule& s, const ir::Axis& axis, int axis_index,
                                bool over_grid, bool aligned) {
  ir::StripeShape shape{
      .axis = axis_index, .vec = s.vec, .threads = s.threads, .chunks = 0, .over_grid = over_grid};
  // Rows start at multiples of the extent: a vector access is aligned only if vec divides it. Of a
  // dynamic extent that is asked at run time (expand_stripes); a bound one narrows the vector.
  while (axis.bound && !aligned && *axis.bound % shape.vec != 0) shape.vec /= 2;
  std::int64_t step = std::int64_t{shape.vec} * shape.threads;
  if (over_grid) {
    shape.chunks = s.chunks;
  } else if (axis.bound && ceil_div(*axis.bound, step) * shape.vec <= s.stripe_cap) {
    shape.chunks = ceil_div(*axis.bound, step);
  } else {
    shape.unroll = s.unroll;
  }
  return shape;
}

int Tiles::grid_dim_of(int axis, std::int64_t per_block, const ir::Loc& loc) {
  for (int i = 0; i < 3; ++i) {
    ir::GridDim& g = kernel_.launch.grid[i];
    if (g.axis == axis && g.per_block == per_block) return i;
    if (g.axis == axis)
      ir::fail(Diag::WrongAxis, loc,
               fmt::format("axis '{}' both by index and split into parts", kernel_.axes[axis].name),
               "take one index of it a block, or its part, not both");
    if (g.axis < 0 && g.count == 1) {
      g = {.axis = axis, .per_block = per_block, .count = 1};
      return i;
    }
  }
  ir::fail(Diag::BadLaunch, loc, "a fourth axis over the grid",
           "loop over one of them inside the block");
}

Value Tiles::index(const Axis& axis, Here here) {
  int dim = grid_dim_of(axis_index(axis, here), 1, here);
  return emit(Op::BlockId, std::vector<Value>{}, here, {{ir::Key::Dim, dim, {}}});
}

int Tiles::tile_layout(const Place& place) {
  check_rank(place);
  const Tensor& t = *place.tensor;
  for (std::size_t i = 0; i + 1 < place.coords.size(); ++i)
    if (is_spread(place.coords[i]))
      ir::fail(Diag::WrongAxis, place.loc,
               fmt::format("'{}' spread along axis '{}'", t.name, t.axes[i].name),
               "spread along the innermost axis; name an index on the others");
  if (!is_spread(place.coords.back()))
    ir::fail(Diag::WrongAxis, place.loc, fmt::format("a stripe of '{}' at one position", t.name),
             "write all or part as the innermost coordinate, or read one element with at()");
  bool over_grid = std::holds_alternative<Part>(place.coords.back());
  int axis = axis_index(t.axes.back(), place.loc);
  std::string name = kernel_.axes[axis].name + (over_grid ? "_part" : "");
  for (std::size_t i = 0; i < kernel_.layouts.size(); ++i) {
    ir::StripeShape known = ir::stripe_shape(kernel_.layouts[i]);
    if (known.axis == axis && known.over_grid == over_grid) return static_cast<int>(i);
    if (kernel_.layouts[i].name == name) name += '_';  // of another axis
  }
  bool aligned = true;
  for (const ir::Param& p : kernel_.params)
    if (!p.axes.empty() && p.axes.back() == axis) aligned = aligned && p.axes.size() == 1;
  ir::StripeShape shape =
      legalize_stripe(schedule_, kernel_.axes[axis], axis, over_grid, aligned && over_grid);
  kernel_.layouts.push_back(ir::stripe_layout(name, shape));
  if (over_grid) grid_dim_of(axis, shape.chunks * shape.threads * shape.vec, place.loc);
  return static_cast<int>(kernel_.layouts.size() - 1);
}

Value Tiles::load(const Place& place) {
  int layout = tile_layout(place);
  Value from = root(*place.tensor, place.loc);
  return emit(Op::TileLoad, ir::tile(place.tensor->elem, layout), {from, offset(place)}, place.loc);
}

Value Tiles::stripe(const Place& place) { return widened(load(place), place.loc); }

Value Tiles::at(const Place& place) {
  Value from = root(*place.tensor, place.loc);
  Value v = emit(Op::Load, ir::scalar(place.tensor->elem), {from, offset(place)}, place.loc);
  return widened(v, place.loc);
}

void Tiles::store(const Place& place, Operand value) {
  Value to = root(*place.tensor, place.loc);
  Elem elem = place.tensor->elem;
  Value v = value.in(*this, elem).to(elem, Rounding::Rn, place.loc);
  if (v.is_tile() && ir::is_fragment(kernel_.layouts[kernel_.type(v.id()).layout]))
    return store(place, Tile(v));
  if (v.is_tile()) {
    int layout = tile_layout(place);
    if (kernel_.type(v.id()).layout != layout)
      ir::fail(Diag::WrongAxis, place.loc,
               fmt::format("a tile over '{}' stored along '{}'",
                           kernel_.layouts[kernel_.type(v.id()).layout].name,
                           kernel_.layouts[layout].name),
               "store a tile along the axis that it was read along");
    return act(Op::TileStore, {to, offset(place), v}, place.loc);
  }
  if (!place.coords.empty() && is_spread(place.coords.back()))
    ir::fail(Diag::WrongRank, place.loc,
             fmt::format("a scalar stored along an axis of '{}'", place.tensor->name),
             "store a tile there, or name an index");
  // Every thread holds the scalar; one of them writes it.
  Value rank = emit(Op::ThreadRank, std::vector<Value>{}, place.loc);
  Value first = compare(ir::Compare::Eq, {rank, place.loc}, {0, place.loc});
  act(Op::Store, {to, offset(place), v, first}, place.loc);
}

Value Tiles::positions(const Value& tile, Here here) {
  if (!tile.is_tile()) ir::fail(Diag::WrongClass, here, "the positions of a scalar", "pass a tile");
  ir::Type type = kernel_.type(tile.id()).with(s32);
  return emit(Op::TileIndex, type, {}, here);
}

}  // namespace barline::dsl
