// SPDX-License-Identifier: Apache-2.0
// How an edge is kept off decides the code's shape. Where the extent is known to be a multiple of
// the vector, vectors lie inside or outside as a whole: chunks that may end past the axis are
// predicated by vector. Where it is not known, the whole body is made twice: a plain one with
// vector accesses, and a careful one that reaches memory element by element. A block-uniform `if`
// picks the plain one if the extent turns out a multiple (or, for an axis split over the grid whose
// rows start at 0, if the block lies inside); both own the same elements, so both give the same
// bits.
#include "ir/passes/expand_stripes.h"

#include <fmt/format.h>
#include <algorithm>
#include <set>

#include "ir/diagnostic.h"
#include "ir/fragment.h"
#include "ir/passes/stripe_access_p.h"
#include "ir/rewrite.h"

namespace barline::ir {
namespace {

using Elements = std::vector<ValueId>;

/// Rewrites one version of the body. `plain`: vectors are aligned and lie inside or outside as a
/// whole.
class Expander {
 public:
  Expander(Kernel& k, const std::vector<StripeFrame>& frames, bool plain)
      : k_(k), frames_(frames), plain_(plain), steps_(frames.size()) {}

  Region run(const Region& body) {
    Region out;
    Builder b(k_, out);
    open_register_steps(b);
    region(b, body);
    return out;
  }

 private:
  /// Predicates of tiles in registers stand at the head, where they dominate every use.
  void open_register_steps(Builder& b) {
    for (std::size_t i = 0; i < frames_.size(); ++i) {
      const StripeFrame& f = frames_[i];
      std::int64_t pitch = std::int64_t{f.shape.threads} * f.shape.vec;
      for (std::int64_t c = 0; c < f.shape.chunks; ++c) {
        StripeStep step{.frame = &f, .edge = edge(f, (c + 1) * pitch), .offset = c * pitch};
        open_step(b, step);
        steps_[i].push_back(std::move(step));
      }
    }
  }

  /// The edge of a chunk that ends at `end` (relative to the block's first element).
  Edge edge(const StripeFrame& f, std::int64_t end) const {
    if (!plain_ && !f.whole_vectors) return Edge::Element;
    bool exact = f.shape.over_grid ? f.bound && f.bound % f.per_block() == 0 : end <= f.bound;
    return exact ? Edge::None : Edge::Vector;
  }

  void region(Builder& b, const Region& from) {
    for (const Operation& op : from.ops) {
      b.at(op.loc);
      operation(b, op);
    }
  }

  bool defines_tile(const Operation& op) const {
    return !op.out.empty() && k_.type(op.out[0]).is_tile();
  }

  void operation(Builder& b, const Operation& op) {
    bool over_tile = op.is(Op::Reduce) && op.attr_as<Team>(Key::Team) == Team::Thread;
    if (defines_tile(op)) return define(b, rename(op));
    if (over_tile) return reduce(b, rename(op));
    if (op.is(Op::TileStore)) return store(b, rename(op));
    copy(b, op);
  }

  /// The op with its scalar operands renamed to this version's values.
  Operation rename(const Operation& op) {
    Operation copy = op;
    replace_uses(copy, map_);
    return copy;
  }

  /// Copies a scalar op; regions may hold tile ops and are rewritten in turn.
  void copy(Builder& b, const Operation& op) {
    Operation o{
        .op = op.op, .in = op.in, .out = {}, .attrs = op.attrs, .regions = {}, .loc = op.loc};
    replace_uses(o, map_);
    for (const Region& r : op.regions) {
      Region to;
      for (ValueId v : r.args) to.args.push_back(map_[v] = k_.new_value(k_.type(v)));
      b.open(to);
      region(b, r);
      b.close();
      o.regions.push_back(std::move(to));
    }
    for (ValueId v : op.out) o.out.push_back(map_[v] = k_.new_value(k_.type(v), k_.values[v].name));
    b.append(std::move(o));
  }

  const StripeFrame& frame_of(ValueId tile) const { return frames_[k_.type(tile).layout]; }
  bool in_registers(ValueId tile) const { return frame_of(tile).shape.chunks > 0; }

  void define(Builder& b, Operation op) {
    ValueId tile = op.out[0];
    defs_[tile] = std::move(op);
    if (!in_registers(tile)) return;
    for (StripeStep& step : steps_[k_.type(tile).layout]) elements(b, step, tile);
  }

  /// The elements of a tile in a step, computed once.
  const Elements& elements(Builder& b, StripeStep& step, ValueId tile) {
    if (auto it = step.memo.find(tile); it != step.memo.end()) return it->second;
    const Operation& op = defs_.at(tile);
    Elements result;
    if (op.is(Op::TileLoad)) {
      check_still_there(op);
      result = load_step(b, step, op);
    } else {
      for (int j = 0; j < step.frame->shape.vec; ++j) result.push_back(element(b, step, op, j));
    }
    return step.memo[tile] = std::move(result);
  }

  ValueId element(Builder& b, StripeStep& step, const Operation& op, int j) {
    if (op.is(Op::TileIndex)) return step_position(b, step, j);
    std::vector<ValueId> in;
    for (ValueId v : op.in) in.push_back(k_.type(v).is_tile() ? elements(b, step, v)[j] : v);
    return b.emit(op.op, scalar(k_.type(op.out[0]).elem), in, op.attrs);
  }

  /// A looping tile is read again at each use; memory that was written since is not the same.
  void check_still_there(const Operation& load) const {
    if (!in_registers(load.out[0]) && written_.contains(load.in[0]))
      fail(
          Diag::BadSchedule, load.loc,
          "a stripe that does not stay in registers is used again after its tensor was overwritten",
          "bind the axis (dims:) so that the stripe fits stripe_cap, or write to another tensor");
  }

  void store(Builder& b, const Operation& op) {
    ValueId tile = op.in[2];
    each_step(b, op, tile, {}, [&](StripeStep& step, Elements carried) {
      store_step(b, step, op, elements(b, step, tile));
      return carried;
    });
    written_.insert(op.in[0]);
  }

  /// Calls use(step, carried) for every chunk in order, unrolled (registers) or in a loop; gives
  /// the carried values after the last.
  template <class Use>
  Elements each_step(Builder& b, const Operation& op, ValueId tile, Elements carried, Use use) {
    if (in_registers(tile)) {
      for (StripeStep& step : steps_[k_.type(tile).layout]) carried = use(step, std::move(carried));
      return carried;
    }
    return loop_over_steps(b, op, tile, std::move(carried), use);
  }

  /// A loop over the chunks, `unroll` a trip: the loads of all of them first, then their uses. At a
  /// ragged edge one a trip: scalar accesses with a predicate each would only spill.
  template <class Use>
  Elements loop_over_steps(Builder& b, const Operation& op, ValueId tile, Elements carried,
                           Use use) {
    const StripeFrame& f = frame_of(tile);
    bool careful = !plain_ && !f.whole_vectors;
    int unroll = careful ? 1 : f.shape.unroll;
    std::int64_t pitch = std::int64_t{f.shape.threads} * f.shape.vec, trip = pitch * unroll;
    Operation loop{.op = Op::For,
                   .in = {b.constant(Elem::S32, 0), f.size, b.constant(Elem::S32, trip)},
                   .out = {},
                   .attrs = {},
                   .regions = {},
                   .loc = op.loc};
    Region body;
    ValueId shift = k_.new_value(scalar(Elem::S32));
    body.args.push_back(shift);
    Elements inner;
    for (ValueId v : carried) {
      loop.in.push_back(v);
      inner.push_back(k_.new_value(k_.type(v)));
      body.args.push_back(inner.back());
    }
    b.open(body);
    bool exact = f.bound && f.bound % trip == 0;
    Edge edge = careful ? Edge::Element : exact ? Edge::None : Edge::Vector;
    std::vector<StripeStep> steps;
    for (int u = 0; u < unroll; ++u) {
      steps.push_back({.frame = &f, .edge = edge, .shift = shift, .offset = u * pitch});
      open_step(b, steps.back());
    }
    for (StripeStep& step : steps)
      for (ValueId v : op.in) load_under(b, step, v);
    for (StripeStep& step : steps) inner = use(step, std::move(inner));
    Operation yield{
        .op = Op::Yield, .in = inner, .out = {}, .attrs = {}, .regions = {}, .loc = op.loc};
    b.append(std::move(yield));
    b.close();
    loop.regions.push_back(std::move(body));
    for (ValueId& v : carried) loop.out.push_back(v = k_.new_value(k_.type(v)));
    b.append(std::move(loop));
    return carried;
  }

  /// Emits the loads that a tile is computed from.
  void load_under(Builder& b, StripeStep& step, ValueId v) {
    if (!k_.type(v).is_tile()) return;
    const Operation& op = defs_.at(v);
    if (op.is(Op::TileLoad)) elements(b, step, v);
    for (ValueId inner : op.in) load_under(b, step, inner);
  }

  /// Folds a thread's elements in the bound order: chain e mod chains, then the chains pairwise.
  void reduce(Builder& b, const Operation& op) {
    std::size_t n = op.out.size();
    int chains = static_cast<int>(op.attr(Key::Chains));
    const StripeShape& shape = frame_of(op.in[0]).shape;
    if (chains < 1 || (!in_registers(op.in[0]) && shape.vec % chains != 0))
      fail(Diag::BadSchedule, op.loc,
           fmt::format("{} chains over vectors of {}", chains, shape.vec),
           "bind the order first; a looping stripe's chains divide its vec");
    Elements acc;
    for (int c = 0; c < chains; ++c) acc.insert(acc.end(), op.in.begin() + n, op.in.end());
    int e = 0;
    acc = each_step(b, op, op.in[0], std::move(acc), [&](StripeStep& step, Elements carried) {
      for (int j = 0; j < shape.vec; ++j, ++e) {
        std::size_t at = (e % chains) * n;
        Elements now(carried.begin() + at, carried.begin() + at + n), next;
        for (std::size_t i = 0; i < n; ++i) next.push_back(elements(b, step, op.in[i])[j]);
        Elements folded = inline_combine(b, op, now, next);
        for (std::size_t i = 0; i < n; ++i)
          carried[at + i] = step.active_at(j) == no_value
                                ? folded[i]
                                : b.emit(Op::Select, {step.active_at(j), folded[i], now[i]});
      }
      return carried;
    });
    std::vector<Elements> chain(chains);
    for (int c = 0; c < chains; ++c)
      chain[c].assign(acc.begin() + c * n, acc.begin() + (c + 1) * n);
    Elements result = fold_pairwise(
        chain.data(), chains,
        [&](const Elements& x, const Elements& y) { return inline_combine(b, op, x, y); });
    for (std::size_t i = 0; i < n; ++i) map_[op.out[i]] = result[i];
  }

  Kernel& k_;
  const std::vector<StripeFrame>& frames_;
  bool plain_;
  std::vector<std::vector<StripeStep>> steps_;  ///< of tiles in registers, a list a layout
  ValueMap map_;                                ///< this version's scalars
  std::map<ValueId, Operation> defs_;           ///< ops that define tiles
  std::set<ValueId> written_;                   ///< roots that a tile was stored to
};

int grid_dim_of(const Kernel& k, int axis) {
  int dim = 0;
  while (dim < 2 && k.launch.grid[dim].axis != axis) ++dim;
  return dim;
}

StripeFrame make_frame(Builder& b, const Layout& layout) {
  Kernel& k = b.kernel();
  StripeFrame f{.shape = stripe_shape(layout)};
  const Axis& axis = k.axes[f.shape.axis];
  f.bound = axis.bound.value_or(0);
  f.whole_vectors = axis.bound.value_or(axis.multiple) % f.shape.vec == 0;
  f.starts_aligned = std::all_of(k.params.begin(), k.params.end(), [&](const Param& p) {
    return p.axes.empty() || p.axes.back() != f.shape.axis || p.axes.size() == 1;
  });
  f.size = axis.bound ? b.constant(Elem::S32, f.bound) : k.axis_sizes[f.shape.axis];
  ValueId rank = b.emit(Op::ThreadRank, {});
  f.first = f.shape.vec == 1 ? rank : b.binary(Op::Mul, rank, b.constant(Elem::S32, f.shape.vec));
  if (f.shape.over_grid) {
    ValueId block = b.emit(Op::BlockId, {}, {{Key::Dim, grid_dim_of(k, f.shape.axis), {}}});
    f.first =
        b.binary(Op::Add, b.binary(Op::Mul, block, b.constant(Elem::S32, f.per_block())), f.first);
  }
  f.first64 = b.cast(Elem::S64, f.first);
  return f;
}

/// i1: this block may run the plain version; no_value where every block may.
ValueId may_run_plain(Builder& b, const std::vector<StripeFrame>& frames) {
  Kernel& k = b.kernel();
  ValueId all = no_value;
  for (const StripeFrame& f : frames) {
    if (f.whole_vectors) continue;
    const StripeShape& s = f.shape;
    ValueId rest = b.binary(Op::And, f.size, b.constant(Elem::S32, s.vec - 1));
    ValueId allowed = b.compare(Compare::Eq, rest, b.constant(Elem::S32, 0));
    if (s.over_grid && f.starts_aligned) {
      ValueId block = b.emit(Op::BlockId, {}, {{Key::Dim, grid_dim_of(k, s.axis), {}}});
      ValueId next = b.binary(Op::Add, block, b.constant(Elem::S32, 1));
      ValueId end = b.binary(Op::Mul, next, b.constant(Elem::S32, f.per_block()));
      allowed = b.binary(Op::Or, allowed, b.compare(Compare::Le, end, f.size));
    }
    all = all == no_value ? allowed : b.binary(Op::And, all, allowed);
  }
  return all;
}

}  // namespace

void expand_stripes(Kernel& k) {
  if (std::all_of(k.layouts.begin(), k.layouts.end(), is_fragment)) return;
  Region body;
  Builder b(k, body);
  std::vector<StripeFrame> frames;
  for (const Layout& layout : k.layouts)  // of fragments no tile is left
    frames.push_back(is_fragment(layout) ? StripeFrame{.shape = {}, .whole_vectors = true}
                                         : make_frame(b, layout));
  ValueId plain = may_run_plain(b, frames);
  if (plain == no_value) {
    Region rest = Expander(k, frames, true).run(k.body);
    std::move(rest.ops.begin(), rest.ops.end(), std::back_inserter(body.ops));
  } else {
    Operation either{.op = Op::If,
                     .in = {plain},
                     .out = {},
                     .attrs = {},
                     .regions = {},
                     .loc = k.body.ops.front().loc};
    either.regions.push_back(Expander(k, frames, true).run(k.body));
    either.regions.push_back(Expander(k, frames, false).run(k.body));
    b.append(std::move(either));
    b.append({.op = Op::Yield, .in = {}, .out = {}, .attrs = {}, .regions = {}, .loc = {}});
  }
  k.body = std::move(body);
}

}  // namespace barline::ir
