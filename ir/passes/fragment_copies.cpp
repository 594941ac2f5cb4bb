// SPDX-License-Identifier: Apache-2.0
// A fill is shared by the block as ir/copy_share.h says: vectors of 16 bytes where rows allow it. A
// vector lies inside the tensor or outside as a whole if the tensor's rows are a multiple of it;
// where that is not promised, the block asks once a fill and else copies element by element.
#include <algorithm>

#include "ir/copy_share.h"
#include "ir/passes/fragments_p.h"

namespace barline::ir {
namespace {

class FillExpander {
 public:
  FillExpander(Builder& b, FragmentWorld& w, const Operation& fill)
      : b_(b),
        w_(w),
        fill_(fill),
        root_(w.root(fill.in[1])),
        param_(w.k.params[root_.param]),
        box_(box_of(w.k, param_)),
        elem_(param_.type.elem),
        share_(copy_share(fill.attr(Key::Rows), fill.attr(Key::Columns), bytes(elem_),
                          w.k.launch.block_threads())),
        swizzle_(swizzle_of(fill.attr(Key::Columns), bytes(elem_))) {}

  void run() {
    row0_ = fill_.in[3];
    col0_ = fill_.in[4];
    width_ = w_.size(b_, root_, 0);
    if (box_.row.tensor >= 0) height_ = w_.size(b_, root_, 1);
    if (whole_vectors()) return rounds(true);
    ValueId rest = b_.binary(Op::Rem, width_, w_.places.number(share_.vec));
    Operation choice{.op = Op::If,
                     .in = {b_.compare(Compare::Eq, rest, w_.places.number(0))},
                     .out = {},
                     .attrs = {},
                     .regions = std::vector<Region>(2),
                     .loc = fill_.loc};
    for (int arm = 0; arm < 2; ++arm) {
      b_.open(choice.regions[arm]);
      rounds(arm == 0);
      b_.append({.op = Op::Yield, .in = {}, .out = {}, .attrs = {}, .regions = {}, .loc = {}});
      b_.close();
    }
    b_.append(std::move(choice));
  }

 private:
  /// Are all rows a multiple of the vector, whatever the launch?
  bool whole_vectors() const {
    return std::all_of(root_.params.begin(), root_.params.end(), [&](int p) {
      const Axis& a = w_.k.axes[w_.k.params[p].axes.back()];
      std::int64_t multiple = a.bound ? *a.bound : a.multiple;
      if (a.of >= 0) {
        const Axis& of = w_.k.axes[a.of];
        std::int64_t parent = of.bound ? *of.bound : of.multiple;
        multiple = parent % a.per == 0 ? parent / a.per * a.times : a.times;
      }
      return multiple % share_.vec == 0;
    });
  }

  void rounds(bool vectors) {
    Places& p = w_.places;
    from_ = pitch_ = no_value;  // an arm's own
    std::int64_t of_row = share_.columns / share_.vec, threads = share_.threads;
    for (std::int64_t round = 0; round < share_.rounds(); ++round) {
      // Vector q = rank + round * threads; whole rows of threads keep a thread in its column.
      bool aligned = threads % of_row == 0;
      ValueId q = aligned ? p.rank() : p.add(p.rank(), round * threads);
      ValueId row = p.add(p.divided(q, of_row), aligned ? round * (threads / of_row) : 0);
      ValueId col = p.times(p.modulo(q, of_row), share_.vec);
      // A constant number of rows on from the round before: one address is alive, not one a round.
      if (aligned && round > 0 && height_ != no_value) {
        ValueId rows = w_.places.number(threads / of_row);
        if (pitch_ == no_value) pitch_ = b_.binary(Op::Mul, wide(rows), wide(width_));
        from_ = b_.binary(Op::Add, from_, pitch_);
      } else {
        from_ = no_value;
      }
      bool partial = (round + 1) * threads > share_.chunks();
      ValueId here = no_value;
      if (partial)
        here = p.head().compare(Compare::Lt, p.add(p.rank(), round * threads),
                                p.number(share_.chunks()));
      vector_at(row, col, here, vectors);
    }
  }

  ValueId and_also(ValueId a, ValueId b) {
    if (a == no_value) return b;
    return b == no_value ? a : b_.binary(Op::And, a, b);
  }

  /// One vector of the thread: to the slot's (row, col), where `here` holds.
  void vector_at(ValueId row, ValueId col, ValueId here, bool vectors) {
    Places& p = w_.places;
    ValueId to = p.op(Op::Add, p.times(row, share_.columns), turned(row, col));
    ValueId r = b_.binary(Op::Add, row0_, row), c = b_.binary(Op::Add, col0_, col);
    ValueId inside = no_value;
    if (height_ != no_value) inside = b_.compare(Compare::Lt, r, height_);
    if (from_ == no_value) {
      from_ = wide(fill_.in[2]);
      if (height_ != no_value)
        from_ = b_.binary(Op::Add, from_, b_.binary(Op::Mul, wide(r), wide(width_)));
      from_ = b_.binary(Op::Add, from_, wide(c));
    }
    const ValueId from = from_;
    bool async = fill_.attr_as<Agent>(Key::Agent) == Agent::CpAsync && vectors;
    if (vectors) inside = and_also(inside, b_.compare(Compare::Lt, c, width_));
    if (!async) {
      inside = and_also(inside, here);
      return store(to, vectors ? load_vector(from, inside) : load_elements(from, c, inside), here);
    }
    if (here == no_value) return copy_async(to, from, inside);
    Operation guard{.op = Op::If,
                    .in = {here},
                    .out = {},
                    .attrs = {},
                    .regions = std::vector<Region>(2),
                    .loc = fill_.loc};
    for (int arm = 0; arm < 2; ++arm) {
      b_.open(guard.regions[arm]);
      if (arm == 0) copy_async(to, from, inside);
      b_.append({.op = Op::Yield, .in = {}, .out = {}, .attrs = {}, .regions = {}, .loc = {}});
      b_.close();
    }
    b_.append(std::move(guard));
  }

  /// Where column `col` of row `row` stands in its row.
  ValueId turned(ValueId row, ValueId col) {
    if (!swizzle_.mask) return col;
    Places& p = w_.places;
    ValueId turn = p.modulo(p.divided(row, 1 << swizzle_.shift), swizzle_.mask + 1);
    ValueId chunk = p.op(Op::Xor, p.divided(col, swizzle_.chunk), turn);
    return p.op(Op::Add, p.times(chunk, swizzle_.chunk), p.modulo(col, swizzle_.chunk));
  }

  ValueId wide(ValueId v) {
    return w_.k.type(v).elem == Elem::S64 ? v : b_.cast(Elem::S64, v);
  }

  void copy_async(ValueId to, ValueId from, ValueId inside) {
    Operation copy{.op = Op::CopyAsync,
                   .in = {fill_.in[0], to, fill_.in[1], from},
                   .out = {},
                   .attrs = {},
                   .regions = {},
                   .loc = fill_.loc};
    if (inside != no_value) copy.in.push_back(inside);
    copy.set(Key::Lanes, std::int64_t{share_.vec});
    b_.append(std::move(copy));
  }

  ValueId load_vector(ValueId from, ValueId inside) {
    Type type = share_.vec == 1 ? scalar(elem_) : vector(elem_, share_.vec);
    std::vector<ValueId> in{fill_.in[1], from};
    if (inside != no_value) in.push_back(inside);
    return b_.emit(Op::Load, type, std::move(in), order());
  }

  ValueId load_elements(ValueId from, ValueId col, ValueId inside) {
    std::vector<ValueId> parts;
    for (int i = 0; i < share_.vec; ++i) {
      ValueId c = b_.binary(Op::Add, col, w_.places.number(i));
      ValueId active = and_also(inside, b_.compare(Compare::Lt, c, width_));
      auto attrs = order();
      attrs.push_back({Key::Offset, i, {}});
      parts.push_back(b_.emit(Op::Load, scalar(elem_), {fill_.in[1], from, active}, attrs));
    }
    return share_.vec == 1 ? parts[0] : w_.pack(b_, parts);
  }

  std::vector<Attr> order() const {
    bool constant = std::all_of(root_.params.begin(), root_.params.end(), [&](int p) {
      return w_.k.params[p].access == Access::In;
    });
    if (!constant) return {};
    return {{Key::Order, static_cast<std::int64_t>(MemOrder::Const), {}}};
  }

  void store(ValueId to, ValueId value, ValueId here) {
    Operation out{.op = Op::Store,
                  .in = {fill_.in[0], to, value},
                  .out = {},
                  .attrs = {},
                  .regions = {},
                  .loc = fill_.loc};
    if (here != no_value) out.in.push_back(here);
    b_.append(std::move(out));
  }

  Builder& b_;
  FragmentWorld& w_;
  const Operation& fill_;
  const Root& root_;
  const Param& param_;
  Box box_;
  Elem elem_;
  CopyShare share_;
  Swizzle swizzle_;
  ValueId from_ = no_value, pitch_ = no_value;  ///< of the round, in elements; between rounds
  ValueId row0_ = no_value, col0_ = no_value, width_ = no_value, height_ = no_value;
};

}  // namespace

void expand_fill(Builder& b, FragmentWorld& w, const Operation& fill) {
  FillExpander(b, w, fill).run();
}

}  // namespace barline::ir
