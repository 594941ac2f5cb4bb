// SPDX-License-Identifier: Apache-2.0
// The grid's extents are those that a launch computes from the axes' sizes (ir/extents.h), here in
// the kernel's own arithmetic. A tile's number is taken apart into the block's place in the grid
// that the body was written for; what each block did once it does for every tile.
#include "ir/passes/walk_tiles.h"

#include <algorithm>

#include "ir/rewrite.h"

namespace barline::ir {
namespace {

class Walker {
 public:
  explicit Walker(Kernel& k) : k_(k), b_(k, head_) {}

  void run() {
    ValueId extents[3] = {extent(k_.launch.grid[0]), extent(k_.launch.grid[1]),
                          extent(k_.launch.grid[2])};
    ValueId tiles = times(times(extents[0], extents[1]), extents[2]);
    Operation loop{.op = Op::For,
                   .in = {dim(Op::BlockId), tiles, dim(Op::GridDim)},
                   .out = {},
                   .attrs = {},
                   .regions = {},
                   .loc = {}};
    Region trip;
    ValueId tile = k_.new_value(scalar(Elem::S32), "tile");
    trip.args = {tile};
    Builder in(k_, trip);
    ValueId rest = tile, at[3];
    for (int d = 0; d < 3; ++d) {
      bool one = is(extents[d], 1);
      bool last = std::all_of(extents + d + 1, extents + 3, [&](ValueId e) { return is(e, 1); });
      at[d] = one ? zero() : last ? rest : in.binary(Op::Rem, rest, extents[d]);
      if (!one && !last) rest = in.binary(Op::Div, rest, extents[d]);
    }
    ValueMap places;
    drop_ids(k_.body, at, extents, places);
    replace_uses(k_.body, places);
    for (Operation& op : k_.body.ops)  // of the grids before and after: once a block
      (op.is(Op::AwaitPrevious) || op.is(Op::ReleaseNext) ? head_ : trip)
          .ops.push_back(std::move(op));
    loop.regions.push_back(std::move(trip));
    head_.ops.push_back(std::move(loop));
    head_.ops.push_back(
        {.op = Op::Yield, .in = {}, .out = {}, .attrs = {}, .regions = {}, .loc = {}});
    k_.body.ops = std::move(head_.ops);
    k_.launch.walks = false;
    k_.launch.persistent = true;
  }

 private:
  ValueId number(std::int64_t n) { return b_.constant(Elem::S32, n); }
  ValueId zero() {
    if (zero_ == no_value) zero_ = number(0);
    return zero_;
  }
  ValueId dim(Op op) { return b_.emit(op, scalar(Elem::S32), {}, {{Key::Dim, 0, {}}}); }
  bool is(ValueId v, std::int64_t n) const {
    auto def = std::find_if(head_.ops.begin(), head_.ops.end(),
                            [&](const Operation& op) { return !op.out.empty() && op.out[0] == v; });
    return def != head_.ops.end() && def->is(Op::Const) && constant_value(k_, *def) == n;
  }
  ValueId times(ValueId a, ValueId b) {
    if (is(a, 1)) return b;
    return is(b, 1) ? a : b_.binary(Op::Mul, a, b);
  }

  ValueId size(int axis) {
    const Axis& a = k_.axes[axis];
    if (a.bound) return number(*a.bound);
    if (a.of < 0) return k_.axis_sizes[axis];
    return times(ceil_of(size(a.of), a.per), number(a.times));
  }
  ValueId ceil_of(ValueId v, std::int64_t per) {
    if (per == 1) return v;
    return b_.binary(Op::Div, b_.binary(Op::Add, v, number(per - 1)), number(per));
  }

  /// Blocks along a dimension, as ir/extents.h has them.
  ValueId extent(const GridDim& g) {
    if (g.axis < 0) return number(g.count);
    ValueId n = ceil_of(size(g.axis), g.per_block);
    for (int a : g.also)
      n = b_.binary(g.abreast ? Op::Max : Op::Add, n, ceil_of(size(a), g.per_block));
    return n;
  }

  /// The body's questions for its place in the grid, answered by values.
  void drop_ids(Region& r, const ValueId (&at)[3], const ValueId (&extents)[3], ValueMap& map) {
    std::erase_if(r.ops, [&](const Operation& op) {
      if (!op.is(Op::BlockId) && !op.is(Op::GridDim)) return false;
      map[op.out[0]] = (op.is(Op::BlockId) ? at : extents)[op.attr(Key::Dim)];
      return true;
    });
    for (Operation& op : r.ops)
      for (Region& sub : op.regions) drop_ids(sub, at, extents, map);
  }

  Kernel& k_;
  Region head_;
  Builder b_;
  ValueId zero_ = no_value;
};

}  // namespace

void walk_tiles(Kernel& k) {
  if (k.launch.walks) Walker(k).run();
}

}  // namespace barline::ir
