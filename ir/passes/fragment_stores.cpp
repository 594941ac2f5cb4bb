// SPDX-License-Identifier: Apache-2.0
// Neighbours along a row go out together: eight of 16 bits where the row's length is a multiple of
// 8 and the fragment lies so (fragment_rows.cpp), pairs where it is even, one by one where it is
// not; a length that the launch decides is asked once. Of the threads that hold an element one
// stores it.
#include <algorithm>
#include <functional>

#include "ir/passes/fragment_rows_p.h"
#include "ir/rewrite.h"

namespace barline::ir {
namespace {

/// A thread with few elements gains less by rows than their exchange takes in registers.
constexpr std::size_t fewest_quads = 2;

class StoreExpander {
 public:
  StoreExpander(Builder& b, FragmentWorld& w, Places& places, const Operation& store,
                const Groups& groups)
      : b_(b),
        w_(w),
        places_(places),
        store_(store),
        layout_(w.layout(store.in[4])),
        root_(w.root(store.in[0])),
        box_(*box_of(w.k, w.k.params[root_.param], layout_)),
        groups_(groups) {}

  void run() {
    owner_ = places_.owner(layout_);
    width_ = w_.size(b_, root_, 0);
    if (box_.row.tensor >= 0) height_ = w_.size(b_, root_, 1);
    quads_ = bits(w_.k.type(store_.in[4]).elem) == 16 ? row_quads(layout_, box_)
                                                      : std::vector<RowQuad>();
    if (quads_.size() < fewest_quads) return by_pairs();
    where_multiple(
        8, [&] { by_rows(); }, [&] { by_pairs(); });
  }

 private:
  /// then() where the rows' length is a multiple of n, else otherwise().
  void where_multiple(int n, const std::function<void()>& then,
                      const std::function<void()>& otherwise) {
    const bool always = std::ranges::all_of(root_.params, [&](int p) {
      const Axis& a = w_.k.axes[w_.k.params[p].axes.back()];
      return (a.bound ? *a.bound : a.multiple) % n == 0;
    });
    if (always) return then();
    ValueId rest = b_.binary(Op::Rem, width_, places_.number(n));
    append_if(b_, b_.compare(Compare::Eq, rest, places_.number(0)), then, otherwise);
  }

  void by_rows() {
    RowStore rows(b_, w_, places_, layout_, box_);
    for (const RowQuad& q : quads_)
      put(b_.binary(Op::Add, store_.in[2], rows.row(q)),
          b_.binary(Op::Add, store_.in[3], rows.column(q)), rows.value(q, groups_));
  }

  void by_pairs() {
    if (group_size(layout_) == 1 || layout_.digits[0].axis != box_.col.tile) return all(false);
    where_multiple(
        2, [&] { all(true); }, [&] { all(false); });
  }

  void all(bool pairs) {
    int size = group_size(layout_), step = pairs ? 2 : 1;
    for (int g = 0; g < static_cast<int>(groups_.size()); ++g)
      for (int i = 0; i < size; i += step) {
        ValueId v = size == 1 ? groups_[g] : w_.extract(b_, groups_[g], i, step);
        one(g * size + i, v);
      }
  }

  ValueId position(const BoxAxis& axis, ValueId origin, int reg) {
    if (axis.tile < 0) return origin;
    std::int64_t r = Places::of_register(layout_, axis.tile, reg);
    ValueId first = b_.binary(Op::Add, origin, places_.of_thread(layout_, axis.tile));
    return r ? b_.binary(Op::Add, first, places_.number(r)) : first;
  }

  void one(int reg, ValueId value) {
    const ValueId c = position(box_.col, store_.in[3], reg);
    put(height_ == no_value ? no_value : position(box_.row, store_.in[2], reg), c, value);
  }

  /// Stores at row r and column c, if they are inside.
  void put(ValueId r, ValueId c, ValueId value) {
    ValueId active = b_.compare(Compare::Lt, c, width_);
    ValueId index = w_.wide(b_, store_.in[1]);
    if (height_ != no_value) {
      active = b_.binary(Op::And, active, b_.compare(Compare::Lt, r, height_));
      index = b_.binary(Op::Add, index, b_.binary(Op::Mul, w_.wide(b_, r), w_.wide(b_, width_)));
    }
    if (owner_ != no_value) active = b_.binary(Op::And, active, owner_);
    index = b_.binary(Op::Add, index, w_.wide(b_, c));
    Operation out{.op = Op::Store,
                  .in = {store_.in[0], index, value, active},
                  .out = {},
                  .attrs = store_.attrs,
                  .regions = {},
                  .loc = store_.loc};
    b_.append(std::move(out));
  }

  Builder& b_;
  FragmentWorld& w_;
  Places& places_;
  const Operation& store_;
  const Layout& layout_;
  const Root& root_;
  Box box_;
  const Groups& groups_;
  std::vector<RowQuad> quads_;
  ValueId owner_ = no_value, width_ = no_value, height_ = no_value;
};

}  // namespace

void expand_store(Builder& b, FragmentWorld& w, const Operation& store, const Groups& groups) {
  // Positions are worked out here, not at the kernel's head: they take no registers from the loop.
  Places places(w.k);
  Region stores;
  Builder inner(w.k, stores);
  inner.at(b.loc());
  StoreExpander(inner, w, places, store, groups).run();
  for (Operation& op : places.take()) b.append(std::move(op));
  for (Operation& op : stores.ops) b.append(std::move(op));
}

}  // namespace barline::ir
