// SPDX-License-Identifier: Apache-2.0
// How a sum of products becomes IR: a loop over steps of the summed axis that carries a tile of C a
// segment and multiplies fragments of the two operands into it. The schedule gives the block's
// tile, the warps' share of it and where segments go.
#include <fmt/format.h>
#include <algorithm>
#include <optional>
#include <set>

#include "dsl/products_p.h"
#include "dsl/splits_p.h"
#include "ir/cluster_share.h"
#include "ir/fragment_merge.h"
#include "ir/fragment_use.h"

namespace barline::dsl {

using ir::Diag;
using ir::Key;
using ir::Op;
using ir::ValueId;

namespace {

/// A stream that each thread's own registers hold, some trips ahead of their use.
bool in_registers(const ir::Stream& s) { return s.store == ir::Store::Reg && s.ahead > 0; }
bool is_ring(const ir::Stream& s) {
  return s.store == ir::Store::Smem || s.hoist || in_registers(s);
}

}  // namespace

const ir::Stream* Tiles::stream_of(const std::string& name) const {
  auto at = std::find_if(schedule_.streams.begin(), schedule_.streams.end(),
                         [&](const ir::Stream& s) { return s.of == name; });
  return at == schedule_.streams.end() ? nullptr : at;
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

/// Steps of a sum; a constant where the axis is bound, so that passes may unroll.
Value Tiles::trips_along(const Axis& over, std::int64_t step, const ir::Loc& loc) {
  const ir::Axis& axis = kernel_.axes[axis_index(over, loc)];
  if (axis.bound) return {*this, builder_.constant(s32, (*axis.bound + step - 1) / step)};
  return (Operand(size(over, loc), loc) + (step - 1)) / step;
}

/// The steps that a block adds up: all of them or, of a cluster's blocks, a range each.
struct Tiles::Steps {
  Value trips;
  int blocks = 1;
  std::optional<Value> rank, start;  ///< of a cluster's block, and of its range
};

Tiles::Steps Tiles::steps_of_block(const Axis& over, std::int64_t step, const ir::Loc& loc) {
  Value all = trips_along(over, step, loc);
  const int blocks = blocks_along_k(schedule_, over.name);
  if (blocks == 1) return {all, 1, {}, {}};
  lead_with_clusters(kernel_.launch, blocks, loc);
  Value rank(*this, prelude_builder_.emit(Op::ClusterRank, ir::scalar(s32), {}));
  Value start = Operand(rank) * all / blocks;
  return {(Operand(rank) + 1) * all / blocks - start, blocks, rank, start};
}

/// One segment's part of a product: the tiles of its factors and of the sum.
struct Tiles::PartTiles {
  ir::Type sums;                   ///< of the loop
  std::optional<ir::Type> merged;  ///< of sums that warps or blocks hold parts of
  int a = -1, b = -1;              ///< layouts
};

Tiles::PartTiles Tiles::part_tiles(const Operands& o, std::size_t part, const ir::BlockTile& tile,
                                   int blocks, const ir::Loc& loc) {
  const ir::Atom atom = *ir::atom_of(o.operand);
  const Elem acc = o.operand == s8 ? s32 : f32;
  // The unit's m and n: of a swapped product the columns and rows.
  int m = axis_index(o.m, loc), n = part_axis(o.n, part, loc);
  const int k = axis_index(Axis(o.k), loc);
  if (o.swapped) std::swap(m, n);
  auto name = [&](int r, int c, char role) {
    return fmt::format("{}_{}_{}", kernel_.axes[r].name, kernel_.axes[c].name, role);
  };
  PartTiles t;
  ir::Layout sums = ir::fragment_c(name(m, n, 'c'), atom, tile, m, n);
  if (tile.warps_k > 1 || blocks > 1) {
    t.merged =
        ir::tile(acc, layout(tile.warps_k > 1 ? ir::merged_layout(sums.name, sums, tile.warps_k)
                                              : shared_out(sums, m, n, schedule_, loc)));
    sums.name = name(m, n, 'p');
  }
  t.sums = ir::tile(acc, layout(std::move(sums)));
  t.a = layout(ir::fragment_a(name(m, k, 'a'), atom, tile, m, k));
  t.b = layout(ir::fragment_b(name(k, n, 'b'), atom, tile, k, n));
  return t;
}

/// acc + the product's part of a segment.
ValueId Tiles::add_part(const Product& p, const Operands& o, std::size_t part, const PartTiles& t,
                        ValueId acc) {
  ValueId first = fragment(p.a, part, o.parts, o.swapped ? t.b : t.a);
  ValueId second = fragment(p.b, part, o.parts, o.swapped ? t.a : t.b);
  if (o.swapped) std::swap(first, second);
  builder_.at(p.loc);
  std::vector<ir::Attr> unit;
  if (schedule_.dot.unit == ir::MatrixUnit::Wgmma)
    unit.push_back({Key::Agent, static_cast<std::int64_t>(ir::Agent::Wgmma), {}});
  return builder_.emit(Op::Dot, t.sums, {acc, first, second}, std::move(unit));
}

Tile Tiles::sum(const Axis& over, const std::function<Product(Index)>& product, Here here) {
  ir::Loc loc = here;
  builder_.at(loc);
  const std::int64_t step = std::max<int>(schedule_.tile.k, 1);
  const Steps steps = steps_of_block(over, step, loc);
  ir::Operation loop{.op = Op::For,
                     .in = {builder_.constant(s32, 0), steps.trips.id(), builder_.constant(s32, 1)},
                     .out = {},
                     .attrs = {},
                     .regions = {},
                     .loc = loc};
  ir::Region body;
  const ValueId index = kernel_.new_value(ir::scalar(s32));
  body.args.push_back(index);
  builder_.open(body);
  Value place(*this, index);
  if (steps.start) place = *steps.start + place;
  Value origin = Operand(place, loc) * step;
  const Product p = product({over.name, origin});
  builder_.at(p.loc);
  const Operands o = operands(p, over.name);
  const ir::BlockTile tile = unit_tile(o, p.loc);
  ir::Operation yield{
      .op = Op::Yield, .in = {}, .out = {}, .attrs = {}, .regions = {}, .loc = p.loc};
  std::vector<PartTiles> parts;
  for (std::size_t i = 0; i < o.parts; ++i) {
    parts.push_back(part_tiles(o, i, tile, steps.blocks, p.loc));
    body.args.push_back(kernel_.new_value(parts[i].sums));
    yield.in.push_back(add_part(p, o, i, parts[i], body.args.back()));
  }
  builder_.append(std::move(yield));
  builder_.close();
  leave(index);
  const ValueId zero = builder_.constant(parts[0].sums.elem, 0);
  for (const PartTiles& part : parts) {
    loop.in.push_back(builder_.emit(Op::Spread, part.sums, {zero}));
    loop.out.push_back(kernel_.new_value(part.sums));
  }
  loop.regions.push_back(std::move(body));
  const std::vector<ValueId> sums = loop.out;
  builder_.append(std::move(loop));
  return merged(sums, parts, std::max(tile.warps_k, steps.blocks), o, steps);
}

/// The sums of the parts that warps, or a cluster's blocks, hold.
Tile Tiles::merged(const std::vector<ValueId>& sums, const std::vector<PartTiles>& parts,
                   int holders, const Operands& o, const Steps& steps) {
  const ir::Team team = steps.blocks > 1 ? ir::Team::Cluster : ir::Team::Warp;
  std::vector<Value> results;
  for (std::size_t i = 0; i < sums.size(); ++i) {
    ValueId v = sums[i];
    if (parts[i].merged)
      v = builder_.emit(
          Op::Merge, *parts[i].merged, {v},
          {{Key::Team, static_cast<std::int64_t>(team), {}}, {Key::Parts, holders, {}}});
    results.emplace_back(*this, v);
  }
  if (steps.blocks > 1) take_share(o, parts[0], steps);
  return Tile(std::move(results));
}

/// What follows is about the block's share of the cluster's sum.
void Tiles::take_share(const Operands& o, const PartTiles& part, const Steps& steps) {
  const ir::Layout &whole = kernel_.layouts[part.sums.layout],
                   &share = kernel_.layouts[part.merged->layout];
  const int axis = *ir::share_axis(whole, share, steps.blocks);
  ValueId& from = origins_.at(kernel_.axes[axis].name == o.m.name ? o.m.name : o.n.name);
  ir::Builder& b = prelude_builder_;
  const ValueId extent = b.constant(s32, ir::extent_along(share, axis));
  from = b.binary(Op::Add, from, b.binary(Op::Mul, steps.rank->id(), extent));
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

}  // namespace barline::dsl
