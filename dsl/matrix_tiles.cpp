// SPDX-License-Identifier: Apache-2.0
// How a sum of products becomes IR: a loop over steps of the summed axis that carries a tile of C a
// segment and multiplies fragments of the two operands into it. The schedule gives the block's
// tile, the warps' share of it and where segments go; what does not fit is refused here, with its
// reason.
#include <fmt/format.h>
#include <algorithm>
#include <set>

#include "dsl/splits_p.h"
#include "dsl/tiles.h"
#include "ir/cluster_share.h"
#include "ir/fragment_merge.h"
#include "ir/fragment_use.h"
#include "ir/packing.h"

namespace barline::dsl {

using ir::Diag;
using ir::Key;
using ir::Op;
using ir::ValueId;

/// A product's operands with the axes they share out: a(m, k), b(k, n).
struct Tiles::Operands {
  Axis m{""}, n{""};
  std::string k;
  Elem operand{};  ///< that the atom multiplies
  std::size_t parts = 1;
  bool swapped = false;  ///< b plays A: the unit computes the transposed product
};

namespace {

const Axis* axis_of_span(const std::vector<Axis>& axes, const Coord& c) {
  const Span* span = std::get_if<Span>(&c);
  if (!span) return nullptr;
  for (const Axis& a : axes)
    if (a.name == span->axis) return &a;
  return nullptr;
}

/// The axis of a factor that is not summed over; null if there is none or more than one.
const Axis* free_axis(const Factor& f, const std::string& k) {
  const std::vector<Axis>& axes = f.weight ? f.weight->axes : f.place.tensor->axes;
  const Axis* found = nullptr;
  for (const Coord& c : f.place.coords) {
    const Axis* a = axis_of_span(axes, c);
    if (!a || a->name == k) continue;
    if (found) return nullptr;
    found = a;
  }
  return found;
}

bool sums_over(const Factor& f, const std::string& k) {
  return std::any_of(f.place.coords.begin(), f.place.coords.end(), [&](const Coord& c) {
    const Span* span = std::get_if<Span>(&c);
    return span && span->axis == k;
  });
}

Elem operand_type(const Factor& f) { return f.weight ? f16 : f.place.tensor->elem; }

/// A stream that each thread's own registers hold, some trips ahead of their use.
bool in_registers(const ir::Stream& s) { return s.store == ir::Store::Reg && s.ahead > 0; }
bool is_ring(const ir::Stream& s) {
  return s.store == ir::Store::Smem || s.hoist || in_registers(s);
}

/// That warps and atoms tile the block's tile. `swapped`: the atom's m lies along n.
void check_tile(const ir::Schedule& s, const ir::Atom& atom, bool swapped, int warps_k,
                const ir::Loc& loc) {
  const ir::MatrixTile& t = s.tile;
  if (t.m == 0)
    ir::fail(Diag::BadSchedule, loc, fmt::format("schedule '{}' gives no matrix tile", s.name),
             "set .tile = {.m, .n, .k, .warps_m, .warps_n}");
  int along_m = swapped ? atom.n : atom.m, along_n = swapped ? atom.m : atom.n;
  bool warps =
      t.warps_m > 0 && t.warps_n > 0 && warps_k > 0 && t.warps_m * t.warps_n * warps_k <= 32;
  if (!warps || t.m % (along_m * t.warps_m) || t.n % (along_n * t.warps_n) ||
      t.k % (atom.k * warps_k) || !t.n || !t.k)
    ir::fail(Diag::BadSchedule, loc, fmt::format("schedule '{}': {}", s.name, list_tile(t)),
             fmt::format("m a multiple of {} and n of {} for each warp along it, k of {}{}; at "
                         "most 32 warps",
                         along_m, along_n, atom.k, warps_k > 1 ? " for each part of it" : ""));
}

/// That a warpgroup's matrix unit takes the tile: `t` as the unit sees it.
void check_unit(const ir::Schedule& s, const ir::BlockTile& t, const ir::Loc& loc) {
  if (!t.warpgroups) return;
  constexpr int rows = 64, warps = 4, most_columns = 256;
  bool fits = t.warps_m % warps == 0 && t.m % (rows * t.warps_m / warps) == 0 && t.warps_n == 1 &&
              t.warps_k == 1 && t.n <= most_columns;
  if (!fits)
    ir::fail(
        Diag::BadSchedule, loc,
        fmt::format("schedule '{}': {} by wgmma", s.name, list_tile(s.tile)),
        "four warps along the rows of what plays A for each 64 rows (or a multiple) of it, one "
        "warp along the other axis, of at most 256");
}

/// That the quantised operand's groups and units fit the tile.
void check_weight(const ir::Schedule& s, const Quantised& w, bool packed, bool swapped, int warps_k,
                  const ir::Loc& loc) {
  const ir::MatrixTile& t = s.tile;
  std::int64_t g = w.group;
  if (g > 0 && (g % 16 || (g % t.k && t.k % g)))
    ir::fail(Diag::BadSchedule, loc,
             fmt::format("groups of {} with steps of {} in schedule '{}'", g, t.k, s.name),
             "let one divide the other; groups are multiples of 16");
  ir::Packing packing{w.code};
  int columns = swapped ? std::max(packing.unit_n(), 16) : packing.unit_n();
  if (packed && (t.k % (ir::Packing::unit_k * warps_k) || t.n / t.warps_n % columns))
    ir::fail(Diag::BadSchedule, loc,
             fmt::format("packed '{}' with {} in schedule '{}'", w.name, list_tile(t), s.name),
             fmt::format("steps of a multiple of {}{}, and {} columns a warp", ir::Packing::unit_k,
                         warps_k > 1 ? " for each part" : "", columns));
}

}  // namespace

const ir::Stream* Tiles::stream_of(const std::string& name) const {
  auto at = std::find_if(schedule_.streams.begin(), schedule_.streams.end(),
                         [&](const ir::Stream& s) { return s.of == name; });
  return at == schedule_.streams.end() ? nullptr : at;
}

/// Does the second factor play A? By the name that the schedule gives.
bool Tiles::plays_a(const Product& p) const {
  auto is = [&](const Factor& f) {
    return schedule_.dot.a == (f.weight ? f.weight->name : f.place.tensor->name);
  };
  if (schedule_.dot.a.empty() || is(p.a)) return false;
  if (is(p.b)) return true;
  ir::fail(Diag::BadSchedule, p.loc,
           fmt::format("'{}' as A in schedule '{}', which the product does not multiply",
                       schedule_.dot.a, schedule_.name),
           "name one of the product's two factors in .dot.a");
}

Tiles::Operands Tiles::operands(const Product& p, const std::string& k) {
  const Axis *m = free_axis(p.a, k), *n = free_axis(p.b, k);
  if (!m || !n || !sums_over(p.a, k) || !sums_over(p.b, k) || m->name == n->name)
    ir::fail(Diag::WrongAxis, p.loc,
             fmt::format("a product that is not a(m, k) * b(k, n) over {}", k),
             "each factor runs along the summed index and one more axis, a different one");
  Operands o{*m, *n, k, operand_type(p.a), 1};
  auto atom = ir::atom_of(o.operand);
  if (!atom || o.operand != operand_type(p.b))
    ir::fail(Diag::TypeMismatch, p.loc,
             fmt::format("a product of {} and {}", ir::name(operand_type(p.a)),
                         ir::name(operand_type(p.b))),
             "multiply f16 by f16 (or quantised weights), bf16 by bf16, s8 by s8");
  o.swapped = plays_a(p);
  const int warps_k = warps_along_k(schedule_, k);
  check_tile(schedule_, *atom, o.swapped, warps_k, p.loc);
  check_cluster(schedule_, k, kernel_, p.loc);
  if ((warps_k > 1 || blocks_along_k(schedule_, k) > 1) && o.operand == s8)
    ir::fail(Diag::BadSchedule, p.loc,
             fmt::format("schedule '{}' splits an exact sum of s8", schedule_.name),
             "leave .splits out for products of s8");
  if (const Quantised* w = p.b.weight) {
    const ir::Stream* s = stream_of(w->name);
    check_weight(schedule_, *w, s && s->packed, o.swapped, warps_k, p.loc);
  }
  if (p.a.weight)
    ir::fail(Diag::TypeMismatch, p.loc,
             fmt::format("the weight '{}' as the first factor", p.a.weight->name),
             "put the weight second: dot(x, w)");
  if (!m->segments.empty())
    ir::fail(Diag::WrongAxis, p.loc, fmt::format("segments on '{}', the rows of a sum", m->name),
             "put the operand with segments second: dot(x, w)");
  if (schedule_.segments == ir::Segments::Inner)
    o.parts = std::max<std::size_t>(n->segments.size(), 1);
  block_tiles_[o.m.name] = schedule_.tile.m;
  block_tiles_[o.n.name] = schedule_.tile.n;
  return o;
}

/// The block's tile as the unit sees it.
ir::BlockTile Tiles::unit_tile(const Operands& o) const {
  const ir::MatrixTile& t = schedule_.tile;
  ir::BlockTile tile{t.m, t.n, t.k, t.warps_m, t.warps_n};
  if (o.swapped) {
    std::swap(tile.m, tile.n);
    std::swap(tile.warps_m, tile.warps_n);
  }
  tile.warps_k = warps_along_k(schedule_, o.k);
  tile.warpgroups = schedule_.dot.unit == ir::MatrixUnit::Wgmma;
  return tile;
}

int Tiles::layout(ir::Layout wanted) {
  for (std::size_t i = 0; i < kernel_.layouts.size(); ++i) {
    if (kernel_.layouts[i] == wanted) return static_cast<int>(i);
    // Products of other types have other atoms over the same axes.
    if (kernel_.layouts[i].name == wanted.name) wanted.name.insert(wanted.name.size() - 1, "_");
  }
  kernel_.layouts.push_back(std::move(wanted));
  return static_cast<int>(kernel_.layouts.size() - 1);
}

int Tiles::part_axis(const Axis& axis, std::size_t part, const ir::Loc& loc) const {
  return axis_index(axis.segments.empty() ? axis : axis.segment(part), loc);
}

/// Steps of a sum; a constant where the axis is bound, so that passes may unroll.
Value Tiles::trips_along(const Axis& over, std::int64_t step, const ir::Loc& loc) {
  const ir::Axis& axis = kernel_.axes[axis_index(over, loc)];
  if (axis.bound) return {*this, builder_.constant(s32, (*axis.bound + step - 1) / step)};
  return (Operand(size(over, loc), loc) + (step - 1)) / step;
}

Tile Tiles::sum(const Axis& over, const std::function<Product(Index)>& product, Here here) {
  ir::Loc loc = here;
  builder_.at(loc);
  std::int64_t step = std::max<int>(schedule_.tile.k, 1);
  Value trips = trips_along(over, step, loc);
  // A cluster's blocks take a range of the steps each.
  const int blocks = blocks_along_k(schedule_, over.name);
  Value rank = trips, start = trips;
  if (blocks > 1) {
    lead_with_clusters(kernel_.launch, blocks, loc);
    rank = Value(*this, prelude_builder_.emit(Op::ClusterRank, ir::scalar(s32), {}));
    start = Operand(rank) * trips / blocks;
    trips = (Operand(rank) + 1) * trips / blocks - start;
  }
  ir::Operation loop{.op = Op::For,
                     .in = {builder_.constant(s32, 0), trips.id(), builder_.constant(s32, 1)},
                     .out = {},
                     .attrs = {},
                     .regions = {},
                     .loc = loc};
  ir::Region body;
  ValueId index = kernel_.new_value(ir::scalar(s32));
  body.args.push_back(index);
  builder_.open(body);
  Value place(*this, index);
  if (blocks > 1) place = start + place;
  Value origin = Operand(place, loc) * step;
  Product p = product({over.name, origin});
  builder_.at(p.loc);
  Operands o = operands(p, over.name);
  ir::Atom atom = *ir::atom_of(o.operand);
  const ir::BlockTile tile = unit_tile(o);
  check_unit(schedule_, tile, p.loc);
  int m = axis_index(o.m, p.loc), k = axis_index(over, p.loc);
  Elem acc = o.operand == s8 ? s32 : f32;
  ir::Operation yield{
      .op = Op::Yield, .in = {}, .out = {}, .attrs = {}, .regions = {}, .loc = p.loc};
  std::vector<ir::Type> merged;  // of sums in parts
  for (std::size_t i = 0; i < o.parts; ++i) {
    // The unit's m and n: of a swapped product the columns and rows.
    int r = m, n = part_axis(o.n, i, p.loc);
    if (o.swapped) std::swap(r, n);
    auto name = [&](int r, int c, char role) {
      return fmt::format("{}_{}_{}", kernel_.axes[r].name, kernel_.axes[c].name, role);
    };
    ir::Layout sums = ir::fragment_c(name(r, n, 'c'), atom, tile, r, n);
    if (tile.warps_k > 1 || blocks > 1) {
      merged.push_back(
          ir::tile(acc, layout(tile.warps_k > 1 ? ir::merged_layout(sums.name, sums, tile.warps_k)
                                                : shared_out(sums, r, n, schedule_, p.loc))));
      sums.name = name(r, n, 'p');
    }
    ir::Type c = ir::tile(acc, layout(std::move(sums)));
    body.args.push_back(kernel_.new_value(c));
    int of_a = layout(ir::fragment_a(name(r, k, 'a'), atom, tile, r, k));
    int of_b = layout(ir::fragment_b(name(k, n, 'b'), atom, tile, k, n));
    ValueId first = fragment(p.a, i, o.parts, o.swapped ? of_b : of_a);
    ValueId second = fragment(p.b, i, o.parts, o.swapped ? of_a : of_b);
    ValueId a = o.swapped ? second : first, b = o.swapped ? first : second;
    builder_.at(p.loc);
    std::vector<ir::Attr> unit;
    if (tile.warpgroups)
      unit.push_back({Key::Agent, static_cast<std::int64_t>(ir::Agent::Wgmma), {}});
    yield.in.push_back(builder_.emit(Op::Dot, c, {body.args.back(), a, b}, std::move(unit)));
  }
  builder_.append(std::move(yield));
  builder_.close();
  leave(index);
  std::vector<Value> results;
  const ir::Type parts_type = kernel_.type(body.args[1]);
  ValueId zero = builder_.constant(acc, 0);
  for (std::size_t i = 0; i < o.parts; ++i) {
    ir::Type c = kernel_.type(body.args[i + 1]);
    loop.in.push_back(builder_.emit(Op::Spread, c, {zero}));
    loop.out.push_back(kernel_.new_value(c));
    results.emplace_back(*this, loop.out.back());
  }
  loop.regions.push_back(std::move(body));
  builder_.append(std::move(loop));
  const ir::Team team = blocks > 1 ? ir::Team::Cluster : ir::Team::Warp;
  for (std::size_t i = 0; i < merged.size(); ++i)
    results[i] = Value(*this, builder_.emit(Op::Merge, merged[i], {results[i].id()},
                                            {{Key::Team, static_cast<std::int64_t>(team), {}},
                                             {Key::Parts, std::max(tile.warps_k, blocks), {}}}));
  if (blocks > 1) {  // what follows is about the block's share
    const ir::Layout& share = kernel_.layouts[merged[0].layout];
    const int axis = *ir::share_axis(kernel_.layouts[parts_type.layout], share, blocks);
    ValueId& from = origins_.at(axis == m ? o.m.name : o.n.name);
    ir::Builder& b = prelude_builder_;
    ValueId extent = b.constant(s32, ir::extent_along(share, axis));
    from = b.binary(Op::Add, from, b.binary(Op::Mul, rank.id(), extent));
  }
  return Tile(std::move(results));
}

ValueId Tiles::fragment(const Factor& f, std::size_t part, std::size_t parts, int layout) {
  if (!f.weight) {
    check_rank(f.place);
    return load_box(*f.place.tensor, f.place, part, parts, f.place.tensor->elem, layout, false);
  }
  const Quantised& w = *f.weight;
  const ir::Stream* stream = stream_of(w.name);
  bool packed = stream && stream->packed;
  Place place = f.place;
  if (packed && w.code == s8) std::swap(place.coords[0], place.coords[1]);  // an image is n by k
  ValueId codes = load_box(w.codes(packed), place, part, parts, w.code, layout, packed);
  ValueId value = builder_.emit(Op::Cast, ir::tile(f16, layout), {codes});
  if (!w.has_scales()) return value;
  std::swap(place.coords[0], place.coords[1]);  // scales are k by n
  ValueId scale = load_box(w.scales(), place, part, parts, f16, layout, false);
  return builder_.emit(Op::Mul, ir::tile(f16, layout), {value, scale});
}

std::size_t Tiles::part_count(const Tensor& t) const {
  for (const Axis& a : t.axes)
    if (!a.segments.empty()) return a.segments.size();
  return 1;
}

ValueId Tiles::load_box(const Tensor& t, const Place& place, std::size_t part, std::size_t parts,
                        Elem elem, int layout, bool packed) {
  builder_.at(place.loc);
  // Coordinates first: the block's place along segments tells which of their tensors it reads.
  ValueId row = t.axes.size() > 1 ? coordinate(t, place, 1) : builder_.constant(s32, 0);
  ValueId col = coordinate(t, place, 0);
  ValueId from = part_root(t, part, parts, place.loc);
  ValueId base = part_base(t, place, part);
  std::vector<ir::Attr> attrs;
  if (t.access == ir::Access::In)
    attrs.push_back({Key::Order, static_cast<std::int64_t>(ir::MemOrder::Const), {}});
  if (packed) attrs.push_back({Key::Packed, 1, {}});
  const ir::Stream* stream = stream_of(t.name);
  if (stream && is_ring(*stream)) attrs.push_back({Key::Stream, 0, t.name});
  if (stream && in_registers(*stream) && packed)  // each byte is read once, by one block
    attrs.push_back({Key::Cache, static_cast<std::int64_t>(ir::CacheHint::NoAllocate), {}});
  builder_.at(place.loc);
  return builder_.emit(Op::FragmentLoad, ir::tile(elem, layout), {from, base, row, col},
                       std::move(attrs));
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

void Tiles::finish(const ir::Loc& loc) {
  std::set<std::string> staged;
  bool multiplies = false;
  ir::walk(kernel_.body, [&](const ir::Operation& op) {
    if (const ir::Attr* a = op.find(Key::Stream)) staged.insert(a->text);
    multiplies = multiplies || op.is(Op::Dot);
  });
  if (schedule_.tile.m && !multiplies)
    ir::fail(Diag::BadSchedule, loc,
             fmt::format("schedule '{}': {} for a kernel that multiplies no matrices",
                         schedule_.name, list_tile(schedule_.tile)),
             "leave .tile out and set .threads");
  for (const ir::Stream& s : schedule_.streams) {
    if (is_ring(s) && !staged.contains(std::string(s.of)))
      ir::fail(Diag::BadSchedule, loc,
               fmt::format("schedule '{}' streams '{}', which the kernel does not multiply",
                           schedule_.name, s.of),
               "name a tensor that a sum reads (a quantised weight's scales are 'name_scale')");
    if (in_registers(s))
      kernel_.rings.push_back({.name = std::string(s.of),
                               .by = s.by,
                               .slots = s.slots,
                               .ahead = s.ahead,
                               .store = ir::Store::Reg});
    else if (s.store == ir::Store::Smem)
      kernel_.rings.push_back({std::string(s.of), s.by, s.slots, s.ahead, s.hoist, s.guard});
    else if (s.hoist)
      kernel_.rings.push_back({std::string(s.of), ir::Agent::Lane, 0, 0, true});
  }
  for (const ir::Role& r : schedule_.roles)
    kernel_.roles.push_back({std::string(r.name), r.warps, r.regs});
  kernel_.launch.walks = schedule_.walk == ir::Walk::Persistent;
  auto& ops = kernel_.body.ops;
  ops.insert(ops.begin(), std::make_move_iterator(prelude_.ops.begin()),
             std::make_move_iterator(prelude_.ops.end()));
  for (Op op : {Op::AwaitPrevious, Op::ReleaseNext})  // what each block does first, last to first
    if (schedule_.budget.beside_next)
      ops.insert(ops.begin(),
                 {.op = op, .in = {}, .out = {}, .attrs = {}, .regions = {}, .loc = loc});
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
