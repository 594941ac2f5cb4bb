// SPDX-License-Identifier: Apache-2.0
// Where a block's tiles lie: which of a tensor's segments a block reads, from which row and column
// on, and tiles of tensors over the axes of a sum.
#include <fmt/format.h>
#include <algorithm>

#include "dsl/products_p.h"
#include "ir/fragment_use.h"

namespace barline::dsl {

using ir::Diag;
using ir::Key;
using ir::Op;
using ir::ValueId;

std::size_t Tiles::part_count(const Tensor& t) const {
  for (const Axis& a : t.axes)
    if (!a.segments.empty()) return a.segments.size();
  return 1;
}

int Tiles::part_axis(const Axis& axis, std::size_t part, const ir::Loc& loc) const {
  return axis_index(axis.segments.empty() ? axis : axis.segment(part), loc);
}

ValueId Tiles::part_root(const Tensor& t, std::size_t part, std::size_t parts, const ir::Loc& loc) {
  std::size_t segments = part_count(t);
  if (segments == 1 && t.axes[0].segments.empty() && t.axes.back().segments.empty())
    return root(t, loc).id();
  auto of = [&](std::size_t i) {
    Tensor one = t;
    for (const Axis& a : t.axes)
      if (!a.segments.empty()) one.name = t.name + "_" + a.segments[i];
    return root(one, loc).id();
  };
  if (parts > 1 || segments == 1) return of(part);
  std::vector<ValueId> in{*segment_};
  for (std::size_t i = 0; i < segments; ++i) in.push_back(of(i));
  ir::Type type = kernel_.type(in[1]);
  return prelude_builder_.emit(Op::Choose, type, std::move(in));
}

/// Offset of the leading coordinates, those before the last two: s64.
ValueId Tiles::part_base(const Tensor& t, const Place& place, std::size_t part) {
  bool spans = std::all_of(place.coords.begin(), place.coords.end(),
                           [](const Coord& c) { return std::holds_alternative<Span>(c); });
  if (spans) {
    if (no_base_ == ir::no_value) no_base_ = prelude_builder_.constant(s64, 0);
    return no_base_;
  }
  auto of_part = [&](std::size_t i) {
    Place leading = place;
    Tensor one = t;
    for (Axis& a : one.axes)
      if (!a.segments.empty()) a = a.segment(i);
    leading.tensor = &one;
    for (Coord& c : leading.coords)
      if (std::holds_alternative<Span>(c)) c = all;
    return offset(leading).id();
  };
  if (schedule_.segments == ir::Segments::Inner || part_count(t) == 1) return of_part(part);
  ValueId base = of_part(0);
  for (std::size_t i = 1; i < part_count(t); ++i) {
    ValueId number = builder_.constant(s32, static_cast<std::int64_t>(i));
    ValueId here = builder_.compare(ir::Compare::Eq, *segment_, number);
    base = builder_.emit(Op::Select, {here, of_part(i), base});
  }
  return base;
}

ValueId Tiles::coordinate(const Tensor& t, const Place& place, std::size_t from_last) {
  const Coord& c = place.coords[place.coords.size() - 1 - from_last];
  const Span* span = std::get_if<Span>(&c);
  if (!span) return builder_.constant(s32, 0);  // a number is in the base
  if (span->origin) return span->origin->id();
  return block_origin(t.axes[t.axes.size() - 1 - from_last], span->axis, place.loc);
}

ValueId Tiles::block_origin(const Axis& axis, const std::string& span, const ir::Loc& loc) {
  if (auto it = origins_.find(span); it != origins_.end()) return it->second;
  auto tile = block_tiles_.find(span);
  bool bound = std::any_of(kernel_.axes.begin(), kernel_.axes.end(),
                           [&](const ir::Axis& a) { return a.name == span && a.bound; });
  if (tile == block_tiles_.end() && bound)  // all of it
    return origins_[span] = prelude_builder_.constant(s32, 0);
  if (tile == block_tiles_.end())
    ir::fail(Diag::WrongAxis, loc, fmt::format("a tile along '{}', which no sum shares out", span),
             "take tiles along the rows and columns of a sum, after it");
  Axis whole = axis;
  whole.name = span;
  if (!axis.segments.empty()) return origins_[span] = segment_origin(whole, tile->second, loc);
  prelude_builder_.at(loc);
  int dim = grid_dim_of(axis_index(whole, loc), tile->second, loc);
  ValueId block = prelude_builder_.emit(Op::BlockId, ir::scalar(s32), {}, {{Key::Dim, dim, {}}});
  return origins_[span] =
             prelude_builder_.binary(Op::Mul, block, prelude_builder_.constant(s32, tile->second));
}

/// Segments side by side in each block start at its column; segments over the grid have their
/// blocks one after the other, and a block finds its own.
ValueId Tiles::segment_origin(const Axis& axis, std::int64_t tile, const ir::Loc& loc) {
  ir::Builder& b = prelude_builder_;
  b.at(loc);
  Axis plain(axis.name);
  plain.segments = axis.segments;
  std::vector<int> axes;
  for (std::size_t i = 0; i < axis.segments.size(); ++i) axes.push_back(part_axis(plain, i, loc));
  int dim = grid_dim_of(axes[0], tile, loc);
  ir::GridDim& g = kernel_.launch.grid[dim];
  g.also.assign(axes.begin() + 1, axes.end());
  g.abreast = schedule_.segments == ir::Segments::Inner;
  ValueId block = b.emit(Op::BlockId, ir::scalar(s32), {}, {{Key::Dim, dim, {}}});
  ValueId width = b.constant(s32, tile), local = block, segment = b.constant(s32, 0);
  for (std::size_t i = 0; !g.abreast && i + 1 < axes.size(); ++i) {
    const ir::Axis& a = kernel_.axes[axes[i]];
    ValueId size = a.bound ? b.constant(s32, *a.bound) : kernel_.axis_sizes[axes[i]];
    ValueId blocks = b.binary(Op::Div, b.binary(Op::Add, size, b.constant(s32, tile - 1)), width);
    // Past segment i if the block is past its blocks and past all segments before it.
    ValueId here =
        b.compare(ir::Compare::Eq, segment, b.constant(s32, static_cast<std::int64_t>(i)));
    ValueId past = b.binary(Op::And, here, b.compare(ir::Compare::Ge, local, blocks));
    local = b.emit(Op::Select, {past, b.binary(Op::Sub, local, blocks), local});
    segment =
        b.emit(Op::Select, {past, b.constant(s32, static_cast<std::int64_t>(i + 1)), segment});
  }
  if (!g.abreast) segment_ = segment;
  return b.binary(Op::Mul, local, width);
}

Tile Tiles::tile(const Place& place) {
  check_rank(place);
  const Tensor& t = *place.tensor;
  std::size_t parts = schedule_.segments == ir::Segments::Inner ? part_count(t) : 1;
  std::vector<Value> out;
  for (std::size_t i = 0; i < parts; ++i) {
    std::vector<int> axes;
    for (const Coord& c : place.coords)
      if (const Axis* a = axis_of_span(t.axes, c)) axes.push_back(part_axis(*a, i, place.loc));
    int found = -1;
    for (std::size_t l = 0; l < kernel_.layouts.size() && found < 0; ++l) {
      const ir::Layout& candidate = kernel_.layouts[l];
      if (!candidate.name.ends_with("_c")) continue;
      auto has = ir::tile_axes(candidate);
      bool all_there = !axes.empty() && std::all_of(axes.begin(), axes.end(), [&](int a) {
        return std::find(has.begin(), has.end(), a) != has.end();
      });
      if (!all_there) continue;
      found = static_cast<int>(l);
      for (int a : has)
        if (axes.size() == 1 && a != axes[0]) {
          ir::Layout one = ir::without_axis(candidate, a);
          one.name = candidate.name + "_" + kernel_.axes[axes[0]].name;
          found = layout(std::move(one));
        }
    }
    if (found < 0)
      ir::fail(Diag::WrongAxis, place.loc,
               fmt::format("a tile of '{}' over axes that no sum has", t.name),
               "take tiles along the rows and columns of a sum, after it");
    out.emplace_back(*this, load_box(t, place, i, parts, t.elem, found, false));
  }
  return Tile(std::move(out));
}

void Tiles::store(const Place& place, const Tile& tile) {
  check_rank(place);
  const Tensor& t = *place.tensor;
  Tile v = tile.to(t.elem, Rounding::Rn, place.loc);
  std::size_t parts = schedule_.segments == ir::Segments::Inner ? part_count(t) : 1;
  if (v.parts().size() != parts)
    ir::fail(Diag::WrongAxis, place.loc,
             fmt::format("a tile of {} segments stored in '{}', which has {}", v.parts().size(),
                         t.name, part_count(t)),
             "store it in a tensor over the axes of its sum");
  for (std::size_t i = 0; i < v.parts().size(); ++i) {
    own(v.parts()[i], place.loc);
    builder_.at(place.loc);
    ValueId row = t.axes.size() > 1 ? coordinate(t, place, 1) : builder_.constant(s32, 0);
    ValueId col = coordinate(t, place, 0);
    ValueId to = part_root(t, i, v.parts().size(), place.loc);
    ValueId base = part_base(t, place, i);
    builder_.append({.op = Op::FragmentStore,
                     .in = {to, base, row, col, v.parts()[i].id()},
                     .out = {},
                     .attrs = {},
                     .regions = {},
                     .loc = place.loc});
  }
}

}  // namespace barline::dsl
