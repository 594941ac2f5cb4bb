// SPDX-License-Identifier: Apache-2.0
// A fill is shared by the block as ir/copy_share.h says: vectors of 16 bytes where rows allow it. A
// vector lies inside the tensor or outside as a whole if the tensor's rows are a multiple of it;
// where that is not promised, the block asks once a fill and else copies element by element.
#include <algorithm>

#include "ir/copy_share.h"
#include "ir/passes/fragments_p.h"
#include "ir/rewrite.h"

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
    ValueId whole = b_.compare(Compare::Eq, rest, w_.places.number(0));
    append_if(
        b_, whole, [&] { rounds(true); }, [&] { rounds(false); });
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

  /// One vector of the thread: from where, to where in the slot, and what must hold.
  struct Move {
    ValueId to = no_value;                                 ///< s32: element of the slot
    std::int64_t offset = 0;                               ///< elements on from `to`
    ValueId from = no_value;                               ///< s64: element of the tensor
    ValueId col = no_value;                                ///< s32: column in the tensor
    ValueId row_inside = no_value, col_inside = no_value;  ///< i1; no value: surely
    ValueId here = no_value;  ///< i1: the thread has this vector; no value: surely
  };

  /// Vector q = rank + round * threads. Where whole rows of vectors make a round, a thread stays in
  /// its column and steps by rows: one address is then alive, not one a round.
  void rounds(bool vectors) {
    Places& p = w_.places;
    const std::int64_t of_row = share_.columns / share_.vec, threads = share_.threads;
    const bool by_rows = threads % of_row == 0;
    Move m;
    for (std::int64_t round = 0; round < share_.rounds(); ++round) {
      std::int64_t rows = by_rows ? round * (threads / of_row) : 0;
      if (round == 0 || !by_rows) {
        ValueId q = p.add(p.rank(), by_rows ? 0 : round * threads);
        m = first(p.divided(q, of_row), p.times(p.modulo(q, of_row), share_.vec));
      } else {
        step(m, round, threads / of_row);
      }
      if (height_ != no_value) {
        ValueId room = rows ? b_.binary(Op::Sub, height_, p.number(rows)) : height_;
        m.row_inside = b_.compare(Compare::Lt, row_, room);
      }
      bool partial = (round + 1) * threads > share_.chunks();
      m.here = partial ? p.head().compare(Compare::Lt, p.add(p.rank(), round * threads),
                                          p.number(share_.chunks()))
                       : no_value;
      move(m, vectors);
    }
  }

  /// The move of a thread whose vector starts at (row, col) of the box.
  Move first(ValueId row, ValueId col) {
    Places& p = w_.places;
    Move m;
    box_row_ = row;
    box_col_ = col;
    m.to = p.op(Op::Add, p.times(row, share_.columns), turned(row, col));
    row_ = b_.binary(Op::Add, row0_, row);
    m.col = b_.binary(Op::Add, col0_, col);
    m.col_inside = b_.compare(Compare::Lt, m.col, width_);
    m.from = w_.wide(b_, fill_.in[2]);
    if (height_ != no_value)
      m.from =
          b_.binary(Op::Add, m.from, b_.binary(Op::Mul, w_.wide(b_, row_), w_.wide(b_, width_)));
    m.from = b_.binary(Op::Add, m.from, w_.wide(b_, m.col));
    pitch_ = no_value;
    return m;
  }

  /// The same thread's next move, `rows` further down: the round'th.
  void step(Move& m, std::int64_t round, std::int64_t rows) {
    Places& p = w_.places;
    const std::int64_t period = std::int64_t{swizzle_.mask + 1} << swizzle_.shift;
    if (rows % period == 0) {
      m.offset += rows * share_.columns;
    } else {
      ValueId row = p.add(box_row_, round * rows);
      m.to = p.op(Op::Add, p.times(row, share_.columns), turned(row, box_col_));
    }
    if (height_ == no_value) return;
    if (pitch_ == no_value)
      pitch_ = b_.binary(Op::Mul, w_.wide(b_, p.number(rows)), w_.wide(b_, width_));
    m.from = b_.binary(Op::Add, m.from, pitch_);
  }

  ValueId and_also(ValueId a, ValueId b) {
    if (a == no_value) return b;
    return b == no_value ? a : b_.binary(Op::And, a, b);
  }

  void move(const Move& m, bool vectors) {
    bool async = fill_.attr_as<Agent>(Key::Agent) == Agent::CpAsync && vectors;
    ValueId inside = vectors ? and_also(m.row_inside, m.col_inside) : m.row_inside;
    if (!async) {
      inside = and_also(inside, m.here);
      return store(m, vectors ? load_vector(m.from, inside) : load_elements(m, inside));
    }
    if (m.here == no_value) return copy_async(m, inside);
    append_if(b_, m.here, [&] { copy_async(m, inside); });
  }

  /// Where column `col` of row `row` stands in its row.
  ValueId turned(ValueId row, ValueId col) {
    if (!swizzle_.mask) return col;
    Places& p = w_.places;
    ValueId turn = p.turn(swizzle_, row);
    ValueId chunk = p.op(Op::Xor, p.divided(col, swizzle_.chunk), turn);
    return p.op(Op::Add, p.times(chunk, swizzle_.chunk), p.modulo(col, swizzle_.chunk));
  }

  void copy_async(const Move& m, ValueId inside) {
    Operation copy{.op = Op::CopyAsync,
                   .in = {fill_.in[0], m.to, fill_.in[1], m.from},
                   .out = {},
                   .attrs = {},
                   .regions = {},
                   .loc = fill_.loc};
    if (inside != no_value) copy.in.push_back(inside);
    if (m.offset) copy.set(Key::Offset, m.offset);
    copy.set(Key::Lanes, std::int64_t{share_.vec});
    b_.append(std::move(copy));
  }

  ValueId load_vector(ValueId from, ValueId inside) {
    Type type = share_.vec == 1 ? scalar(elem_) : vector(elem_, share_.vec);
    std::vector<ValueId> in{fill_.in[1], from};
    if (inside != no_value) in.push_back(inside);
    return b_.emit(Op::Load, type, std::move(in), order());
  }

  ValueId load_elements(const Move& m, ValueId inside) {
    std::vector<ValueId> parts;
    for (int i = 0; i < share_.vec; ++i) {
      ValueId c = b_.binary(Op::Add, m.col, w_.places.number(i));
      ValueId active = and_also(inside, b_.compare(Compare::Lt, c, width_));
      auto attrs = order();
      attrs.push_back({Key::Offset, i, {}});
      parts.push_back(b_.emit(Op::Load, scalar(elem_), {fill_.in[1], m.from, active}, attrs));
    }
    return share_.vec == 1 ? parts[0] : w_.pack(b_, parts);
  }

  std::vector<Attr> order() const {
    bool constant = std::all_of(root_.params.begin(), root_.params.end(),
                                [&](int p) { return w_.k.params[p].access == Access::In; });
    if (!constant) return {};
    return {{Key::Order, static_cast<std::int64_t>(MemOrder::Const), {}}};
  }

  void store(const Move& m, ValueId value) {
    Operation out{.op = Op::Store,
                  .in = {fill_.in[0], m.to, value},
                  .out = {},
                  .attrs = {},
                  .regions = {},
                  .loc = fill_.loc};
    if (m.here != no_value) out.in.push_back(m.here);
    if (m.offset) out.set(Key::Offset, m.offset);
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
  ValueId box_row_ = no_value, box_col_ = no_value, row_ = no_value;  ///< of the first move
  ValueId pitch_ = no_value;  ///< s64: elements between a round's rows and the next one's
  ValueId row0_ = no_value, col0_ = no_value, width_ = no_value, height_ = no_value;
};

}  // namespace

void expand_fill(Builder& b, FragmentWorld& w, const Operation& fill) {
  FillExpander(b, w, fill).run();
}

}  // namespace barline::ir
