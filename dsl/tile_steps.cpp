// SPDX-License-Identifier: Apache-2.0
// Tiles over pieces of axes: the block's rows, the steps of a loop, the whole of a bound axis. What
// a product's tile extends over follows from the pieces its factors name, so one schedule's tile {m
// rows, n a step} serves products of several shapes. Warps lie along the rows.
#include <fmt/format.h>
#include <algorithm>
#include <array>

#include "dsl/tiles.h"
#include "ir/fragment_use.h"

namespace barline::dsl {

using ir::Diag;
using ir::Key;
using ir::Op;
using ir::ValueId;

/// A piece of an axis that a factor lies over.
struct Tiles::TilePart {
  int axis = -1;
  std::int64_t extent = 0;
};

namespace {

ir::BlockTile block_tile(const ir::Schedule& s, std::int64_t m, std::int64_t n, std::int64_t k) {
  ir::BlockTile tile{static_cast<int>(m), static_cast<int>(n), static_cast<int>(k), s.tile.warps_m,
                     s.tile.warps_n};
  tile.warpgroups = s.dot.unit == ir::MatrixUnit::Wgmma;
  return tile;
}

}  // namespace

Index Tiles::rows(const Axis& axis, bool last_first, Here here) {
  std::int64_t m = schedule_.tile.m;
  if (m == 0 || schedule_.tile.n == 0)
    ir::fail(
        Diag::BadSchedule, here, fmt::format("schedule '{}' gives no matrix tile", schedule_.name),
        "set .tile = {.m, .n, .warps_m}: rows a block, positions a step, warps along the rows");
  int dim = grid_dim_of(axis_index(axis, here), m, here);
  std::vector<ir::Attr> of{{Key::Dim, dim, {}}};
  Value block = emit(Op::BlockId, ir::scalar(s32), {}, here, of);
  if (last_first) block = emit(Op::GridDim, ir::scalar(s32), {}, here, of) - 1 - block;
  return {axis.name, Operand(block, here) * m, m};
}

void Tiles::each(const Axis& axis, Operand limit, const std::function<void(Index)>& body) {
  std::int64_t n = schedule_.tile.n;
  ir::Loc loc = limit.loc();
  if (n == 0)
    ir::fail(Diag::BadSchedule, loc, fmt::format("steps without a size in '{}'", schedule_.name),
             "set .tile.n: positions a step");
  Value trips = (Operand(limit.in(*this, s32), loc) + (n - 1)) / n;
  loop({0, loc}, {trips, loc}, [&](Value i) { body({axis.name, Operand(i, loc) * n, n}); });
}

std::int64_t Tiles::whole(int axis, const ir::Loc& loc) const {
  const ir::Axis& a = kernel_.axes[axis];
  if (!a.bound)
    ir::fail(
        Diag::WrongAxis, loc, fmt::format("a tile over all of '{}', which is not bound", a.name),
        fmt::format("bind {} in the config, or name the block's rows or a step of it", a.name));
  return *a.bound;
}

std::vector<Tiles::TilePart> Tiles::parts_of(const TileFactor& f, const ir::Loc& loc) const {
  std::vector<TilePart> parts;
  if (const Value* v = std::get_if<Value>(&f)) {
    own(*v, loc);
    if (!v->is_tile()) return parts;
    const ir::Layout& l = kernel_.layouts[kernel_.type(v->id()).layout];
    for (int a : ir::tile_axes(l)) parts.push_back({a, ir::extent_along(l, a)});
    return parts;
  }
  const Place& place = std::get<Place>(f);
  check_rank(place);
  for (const Coord& c : place.coords)
    if (const Span* span = std::get_if<Span>(&c)) {
      int a = axis_index({span->axis}, place.loc);
      parts.push_back({a, span->extent ? span->extent : whole(a, place.loc)});
    }
  return parts;
}

Value Tiles::dot(const TileFactor& a, const TileFactor& b, Here here) {
  return product(a, b, nullptr, here);
}

Value Tiles::dot(const TileFactor& a, const TileFactor& b, const Operand& acc) {
  return product(a, b, &acc, acc.loc());
}

/// The pieces of a(m, k) and b(k, n), or a refusal.
std::array<Tiles::TilePart, 3> Tiles::pieces(const TileFactor& a, const TileFactor& b,
                                             const ir::Loc& loc) const {
  std::vector<TilePart> of_a = parts_of(a, loc), of_b = parts_of(b, loc);
  TilePart m, n, k;
  for (const TilePart& x : of_a)
    for (const TilePart& y : of_b)
      if (x.axis == y.axis && x.extent == y.extent) k = x;
  for (const TilePart& x : of_a)
    if (x.axis != k.axis) m = x;
  for (const TilePart& y : of_b)
    if (y.axis != k.axis) n = y;
  bool two = of_a.size() == 2 && of_b.size() == 2 && k.axis >= 0;
  if (!two || m.axis < 0 || n.axis < 0 || m.axis == n.axis || std::holds_alternative<Value>(b))
    ir::fail(Diag::WrongAxis, loc, "a product that is not a(m, k) * b(k, n)",
             "give each factor two axes, one of them, in pieces of one size, in both; the second "
             "factor is a place in a tensor");
  return {m, n, k};
}

namespace {

Elem elem_of(const TileFactor& f) {
  const Value* v = std::get_if<Value>(&f);
  return v ? v->elem() : std::get<Place>(f).tensor->elem;
}

/// The atom of the factors' type, which tiles the block's tile.
ir::Atom atom_for(const TileFactor& a, const TileFactor& b, const ir::BlockTile& t,
                  const ir::Schedule& s, const ir::Loc& loc) {
  auto atom = ir::atom_of(elem_of(b));
  if (!atom || elem_of(a) != elem_of(b))
    ir::fail(Diag::TypeMismatch, loc,
             fmt::format("a product of {} and {}", ir::name(elem_of(a)), ir::name(elem_of(b))),
             "multiply f16 by f16, bf16 by bf16 or s8 by s8: convert a tile with .to()");
  if (t.m % (atom->m * t.warps_m) || t.n % (atom->n * t.warps_n) || t.k % atom->k)
    ir::fail(Diag::BadSchedule, loc,
             fmt::format("schedule '{}': a product of {} x {} x {} over {} x {} warps", s.name, t.m,
                         t.n, t.k, t.warps_m, t.warps_n),
             fmt::format("m a multiple of {} and n of {} for each warp along it, k of {}", atom->m,
                         atom->n, atom->k));
  constexpr int rows = 64, warps = 4, most_columns = 256;
  if (t.warpgroups && (t.warps_m % warps || t.m % (rows * t.warps_m / warps) || t.warps_n != 1 ||
                       t.n > most_columns))
    ir::fail(Diag::BadSchedule, loc,
             fmt::format("schedule '{}': a product of {} x {} x {} over {} x {} warps by wgmma",
                         s.name, t.m, t.n, t.k, t.warps_m, t.warps_n),
             "four warps along m for each 64 rows (or a multiple) of it, one along n, of at most "
             "256");
  return *atom;
}

}  // namespace

Value Tiles::product(const TileFactor& a, const TileFactor& b, const Operand* acc,
                     const ir::Loc& loc) {
  auto [m, n, k] = pieces(a, b, loc);
  ir::BlockTile tile = block_tile(schedule_, m.extent, n.extent, k.extent);
  ir::Atom atom = atom_for(a, b, tile, schedule_, loc);
  auto name = [&](const TilePart& r, const TilePart& c, char role) {
    return fmt::format("{}_{}_{}", kernel_.axes[r.axis].name, kernel_.axes[c.axis].name, role);
  };
  int l_c = layout(ir::fragment_c(name(m, n, 'c'), atom, tile, m.axis, n.axis));
  int l_a = layout(ir::fragment_a(name(m, k, 'a'), atom, tile, m.axis, k.axis));
  int l_b = layout(ir::fragment_b(name(k, n, 'b'), atom, tile, k.axis, n.axis));
  ir::Type c = ir::tile(elem_of(b) == s8 ? s32 : f32, l_c);
  ValueId from = acc ? acc->in(*this, c.elem).id() : builder_.constant(c.elem, 0);
  ValueId x = first_factor(a, l_a, loc), y = place_of(b, l_b);
  builder_.at(loc);
  if (kernel_.type(from).is_scalar()) from = builder_.emit(Op::Spread, c, {from});
  std::vector<ir::Attr> unit;
  if (tile.warpgroups)
    unit.push_back({Key::Agent, static_cast<std::int64_t>(ir::Agent::Wgmma), {}});
  return emit(Op::Dot, c, {{*this, from}, {*this, x}, {*this, y}}, loc, std::move(unit));
}

ValueId Tiles::place_of(const TileFactor& f, int layout) {
  const Place& place = std::get<Place>(f);
  return load_box(*place.tensor, place, 0, 1, place.tensor->elem, layout, false);
}

ValueId Tiles::first_factor(const TileFactor& f, int layout, const ir::Loc& loc) {
  const Value* v = std::get_if<Value>(&f);
  if (!v) return place_of(f, layout);
  if (!ir::same_places(kernel_.layouts[kernel_.type(v->id()).layout], kernel_.layouts[layout]))
    ir::fail(Diag::WrongAxis, loc, "a tile in registers that is not a product's first factor",
             "a product over (m, k) of 16-bit elements is one where its warps lie along m alone");
  return v->id();
}

/// Over the rows alone: as a fold leaves a product's tile.
int Tiles::rows_layout(int axis) {
  int other = axis ? 0 : static_cast<int>(kernel_.axes.size()) - 1;
  const ir::MatrixTile& t = schedule_.tile;
  ir::Layout c = ir::fragment_c(kernel_.axes[axis].name + "_rows", {},
                                block_tile(schedule_, t.m, 8 * t.warps_n, 16), axis, other);
  return layout(ir::without_axis(c, other));
}

Value Tiles::full(const Index& rows, const Axis& over, Operand value) {
  ir::Loc loc = value.loc();
  int m = axis_index({rows.axis}, loc), n = axis_index(over, loc);
  int l = layout(ir::fragment_c(fmt::format("{}_{}_c", rows.axis, over.name), {},
                                block_tile(schedule_, rows.extent, whole(n, loc), 16), m, n));
  Value v = value.in(*this, value.default_elem());
  return emit(Op::Spread, ir::tile(v.elem(), l), {v}, loc);
}

Value Tiles::full(const Index& rows, Operand value) {
  int l = rows_layout(axis_index({rows.axis}, value.loc()));
  Value v = value.in(*this, value.default_elem());
  return emit(Op::Spread, ir::tile(v.elem(), l), {v}, value.loc());
}

Value Tiles::fold(Op op, const Index& step, const Value& tile, const ir::Loc& loc) {
  own(tile, loc);
  int axis = axis_index({step.axis}, loc), row = -1;
  ir::Type type = kernel_.type(tile.id());
  if (type.is_tile())
    for (int a : ir::tile_axes(kernel_.layouts[type.layout]))
      if (a != axis) row = a;
  if (row < 0)
    ir::fail(Diag::WrongAxis, loc, fmt::format("a fold along '{}' of no tile over it", step.axis),
             "fold what a product over the step gave");
  ir::Operation o{
      .op = Op::Fold, .in = {tile.id()}, .out = {}, .attrs = {}, .regions = {}, .loc = loc};
  o.set(Key::Axis, std::int64_t{axis});
  ir::Region combine;
  std::size_t first = kernel_.values.size();
  for (int i = 0; i < 2; ++i) combine.args.push_back(kernel_.new_value(ir::scalar(type.elem)));
  builder_.open(combine);
  builder_.at(loc);
  ValueId both = builder_.binary(op, combine.args[0], combine.args[1]);
  builder_.append(
      {.op = Op::Yield, .in = {both}, .out = {}, .attrs = {}, .regions = {}, .loc = loc});
  builder_.close();
  leave(first);
  o.regions.push_back(std::move(combine));
  o.out.push_back(kernel_.new_value(ir::tile(type.elem, rows_layout(row))));
  builder_.append(o);
  return {*this, o.out[0]};
}

Value Tiles::max_along(const Index& step, const Value& tile, Here here) {
  return fold(Op::Max, step, tile, here);
}
Value Tiles::sum_along(const Index& step, const Value& tile, Here here) {
  return fold(Op::Add, step, tile, here);
}

Value Tiles::positions(const Index& step, const Value& tile, Here here) {
  int axis = axis_index({step.axis}, here);
  ir::Type type = kernel_.type(tile.id()).with(s32);
  Value from = emit(Op::FragmentIndex, type, {}, here, {{Key::Axis, axis, {}}});
  return Operand(from, here) + step.origin;
}

}  // namespace barline::dsl
