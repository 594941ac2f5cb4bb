// SPDX-License-Identifier: Apache-2.0
// How a sum of products becomes IR: a loop over steps of the summed axis that carries a tile of C a
// segment and multiplies fragments of the two operands into it. The schedule gives the block's
// tile, the warps' share of it and where segments go.
#include <fmt/format.h>
#include <algorithm>
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
  const ir::BlockTile tile = unit_tile(o, p.loc);
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
