// SPDX-License-Identifier: Apache-2.0
// What a sample costs decides its form. Thread 0's row is its own, so it needs neither fence nor
// order. A region that one pair of markers outside of loops makes happens once: its two stamps are
// stored where they are taken, so that nothing is held over the region; the reducer subtracts.
// Otherwise all threads read the clock where it begins, and where it ends thread 0 adds to the
// row's words by atomics without a result, which nobody waits for.
//
// Where a region begins right where another ends, the end's stamp is the beginning's, so that
// regions side by side leave no gap between them. %globaltimer is read at the block's two ends
// alone: cycles in between are placed by the block's own clock.
#include "ir/passes/expand_regions.h"

#include <functional>

#include "ir/passes/region_blocks_p.h"
#include "ir/rewrite.h"

namespace barline::ir {
namespace {

using regions::BlockField;
using regions::RegionField;

class Expander {
 public:
  explicit Expander(Kernel& k) : k_(k), ends_(k.region_table.size()) {}

  void run() {
    survey(k_.body, false);
    name_blocks(k_);
    expand(k_.body);
    add_block_fields();
  }

 private:
  /// Counts the ends of each region; one in a loop as many.
  void survey(const Region& r, bool in_loop) {
    for (const Operation& op : r.ops) {
      if (op.is(Op::RegionEnd)) ends_[index_of(op)] += in_loop ? 2 : 1;
      const bool loops = in_loop || op.is(Op::For) || op.is(Op::While);
      for (const Region& sub : op.regions) survey(sub, loops);
    }
  }

  static std::size_t index_of(const Operation& op) {
    return static_cast<std::size_t>(op.attr(Key::Region));
  }

  void expand(Region& r) {
    Region out;
    out.args = r.args;
    Builder b(k_, out);
    ValueId ended = no_value;  // the stamp of a region that ended here
    for (Operation& op : r.ops) {
      b.at(op.loc);
      replace_uses(op, renamed_);
      for (Region& sub : op.regions) expand(sub);
      if (op.is(Op::RegionEnd)) {
        ended = b.emit(Op::Clock, scalar(Elem::U64), {});
        sample(b, index_of(op), op.in[0], ended);
        continue;
      }
      if (op.is(Op::RegionBegin)) {
        const ValueId stamp = ended != no_value ? ended : b.emit(Op::Clock, scalar(Elem::U64), {});
        renamed_[op.out[0]] = stamp;
        begin(b, index_of(op), stamp);
        continue;
      }
      if (!op.has(Pure)) ended = no_value;
      b.append(std::move(op));
    }
    r = std::move(out);
  }

  void if_leader(Builder& b, const std::function<void(ValueId row)>& then) {
    ValueId rank = b.emit(Op::ThreadRank, scalar(Elem::S32), {});
    ValueId leads = b.compare(Compare::Eq, rank, b.constant(Elem::S32, 0));
    append_if(b, leads, [&] { then(row(b)); });
  }

  /// The first word of this block's row.
  ValueId row(Builder& b) {
    ValueId block = no_value;
    for (int dim = 2; dim >= 0; --dim) {
      const GridDim& g = k_.launch.grid[dim];
      if (g.axis < 0 && g.count == 1 && (dim > 0 || block != no_value)) continue;
      auto id = [&](Op op) {
        return b.emit(op, scalar(Elem::S32), {}, {{Key::Dim, std::int64_t{dim}, {}}});
      };
      ValueId at = id(Op::BlockId);
      block =
          block == no_value ? at : b.binary(Op::Add, at, b.binary(Op::Mul, block, id(Op::GridDim)));
    }
    const auto words = static_cast<std::int64_t>(regions::words_a_block(k_.region_table.size()));
    return b.binary(Op::Mul, b.cast(Elem::S64, block), b.constant(Elem::S64, words));
  }

  void store(Builder& b, ValueId row, std::size_t place, ValueId words) {
    b.append({.op = Op::Store,
              .in = {k_.params.back().value, row, words},
              .out = {},
              .attrs = {{Key::Offset, static_cast<std::int64_t>(place), {}}},
              .regions = {},
              .loc = b.loc()});
  }
  /// Two neighbouring words of the row.
  void store(Builder& b, ValueId row, std::size_t place, ValueId first, ValueId second) {
    store(b, row, place, b.emit(Op::Pack, vector(Elem::U64, 2), {first, second}));
  }

  void update(Builder& b, ValueId row, std::size_t place, RmwKind kind, ValueId value) {
    b.append({.op = Op::Atomic,
              .in = {k_.params.back().value, row, value},
              .out = {},
              .attrs = {{Key::Rmw, static_cast<std::int64_t>(kind), {}},
                        {Key::Offset, static_cast<std::int64_t>(place), {}},
                        {Key::Order, static_cast<std::int64_t>(MemOrder::Relaxed), {}},
                        {Key::Scope, static_cast<std::int64_t>(MemScope::Gpu), {}}},
              .regions = {},
              .loc = b.loc()});
  }

  bool once(std::size_t region) const { return ends_[region] == 1; }

  void begin(Builder& b, std::size_t region, ValueId stamp) {
    if (!once(region)) return;
    if_leader(b, [&](ValueId row) {
      store(b, row, regions::place(region, RegionField::NotFirst), b.emit(Op::Not, {stamp}));
    });
  }

  void sample(Builder& b, std::size_t region, ValueId begin, ValueId end) {
    auto at = [&](RegionField f) { return regions::place(region, f); };
    if_leader(b, [&](ValueId row) {
      ValueId one = b.constant(Elem::U64, 1);
      if (once(region)) return store(b, row, at(RegionField::Count), one, end);
      ValueId cycles = b.binary(Op::Sub, end, begin);
      ValueId not_min = b.emit(Op::Not, {cycles}), not_first = b.emit(Op::Not, {begin});
      update(b, row, at(RegionField::Count), RmwKind::Add, one);
      update(b, row, at(RegionField::Sum), RmwKind::Add, cycles);
      update(b, row, at(RegionField::NotMin), RmwKind::Max, not_min);
      update(b, row, at(RegionField::Max), RmwKind::Max, cycles);
      update(b, row, at(RegionField::NotFirst), RmwKind::Max, not_first);
      update(b, row, at(RegionField::Last), RmwKind::Max, end);
    });
  }

  /// Both clocks at the block's two ends, and where it ran.
  void add_block_fields() {
    Region first;
    Builder b(k_, first);
    auto clocks = [&](ValueId row, BlockField at) {
      ValueId clock = b.emit(Op::Clock, scalar(Elem::U64), {});
      ValueId timer = b.emit(Op::GlobalTimer, scalar(Elem::U64), {});
      store(b, row, regions::place(at), clock, timer);
    };
    if_leader(b, [&](ValueId row) { clocks(row, BlockField::ClockBegin); });
    auto& ops = k_.body.ops;
    Operation end = std::move(ops.back());
    ops.pop_back();
    ops.insert(ops.begin(), std::make_move_iterator(first.ops.begin()),
               std::make_move_iterator(first.ops.end()));
    first.ops.clear();
    if_leader(b, [&](ValueId row) {
      clocks(row, BlockField::ClockEnd);
      ValueId sm = b.cast(Elem::U64, b.emit(Op::SmId, scalar(Elem::U32), {}));
      store(b, row, regions::place(BlockField::Sm), sm, b.constant(Elem::U64, 1));
    });
    ops.insert(ops.end(), std::make_move_iterator(first.ops.begin()),
               std::make_move_iterator(first.ops.end()));
    ops.push_back(std::move(end));
  }

  Kernel& k_;
  std::vector<int> ends_;  ///< by region: 1 where it happens at most once a block
  ValueMap renamed_;
};

}  // namespace

void expand_regions(Kernel& k) {
  if (k.timed) Expander(k).run();
}

}  // namespace barline::ir
