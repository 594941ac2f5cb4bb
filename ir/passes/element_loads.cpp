// SPDX-License-Identifier: Apache-2.0
#include "ir/passes/element_loads_p.h"

#include <algorithm>
#include <numeric>

namespace barline::ir {

ElementLoader::ElementLoader(Builder& b, FragmentWorld& w, const Operation& load)
    : b_(b),
      w_(w),
      load_(load),
      layout_(w.layout(load.out[0])),
      root_(w.root(load.in[0])),
      box_(*box_of(w.k, w.k.params[w.source(load)], layout_)),
      elem_(w.k.type(load.in[0]).elem),
      swizzle_(slot_swizzle(load, bytes(elem_))) {}

At ElementLoader::at(const BoxAxis& axis, int reg) {
  if (axis.tile < 0) return {w_.places.number(0), 0};
  std::int64_t r = Places::of_register(layout_, axis.tile, reg);
  ValueId thread = w_.places.of_thread(layout_, axis.tile);
  if (!axis.quotient) {
    const auto [piece, lanes] = spans(axis.tile);
    return {thread, r, w_.places.of_warp(layout_, axis.tile), piece, lanes};
  }
  // Lanes and registers that stay within a piece, of which warps stand whole ones apart.
  auto [piece, lanes] = spans(axis.tile);
  piece = std::gcd(piece, axis.per);
  if (r % piece + lanes > piece) return {w_.places.divided(w_.places.add(thread, r), axis.per), 0};
  ValueId warp = w_.places.of_warp(layout_, axis.tile);
  std::int64_t whole = r / piece * piece;
  if (piece == axis.per) return {w_.places.divided(warp, axis.per), whole / axis.per};
  return {w_.places.divided(w_.places.add(warp, whole), axis.per), 0};
}
/// What divides the warps' steps along an axis of the tile, and how far lanes reach.
std::pair<std::int64_t, std::int64_t> ElementLoader::spans(int axis) const {
  std::int64_t piece = 0, lanes = 1;
  for (const Digit& d : layout_.digits) {
    if (d.axis == axis && d.in == In::Warp) piece = std::gcd(piece, d.step);
    if (d.axis == axis && d.in == In::Lane) lanes += (d.extent - 1) * d.step;
  }
  return {piece, lanes};
}

ValueId ElementLoader::elements(At row, At col, int lanes) {
  Type type = lanes == 1 ? scalar(elem_) : vector(elem_, lanes);
  if (in_slot()) return slot_elements(row, col, type);
  return streamed() ? stream_elements(row, col, type) : tensor_elements(row, col, type);
}

ValueId ElementLoader::slot_elements(At row, At col, Type type) {
  Places& p = w_.places;
  std::int64_t offset = row.reg * swizzle_.columns + col.reg;
  ValueId index = p.op(Op::Add, p.times(row.thread, swizzle_.columns), col.thread);
  if (swizzle_.mask) {
    ValueId r = p.add(row.thread, row.reg), c = p.add(col.thread, col.reg);
    ValueId turn = p.turn(swizzle_, r);
    ValueId chunk = p.op(Op::Xor, p.divided(c, swizzle_.chunk), turn);
    index = p.op(Op::Add, p.times(r, swizzle_.columns), p.times(chunk, swizzle_.chunk));
    index = p.op(Op::Add, index, p.modulo(c, swizzle_.chunk));
    offset = 0;
  }
  return emit_load(type, index, offset, no_value);
}

ValueId ElementLoader::tensor_elements(At row, At col, Type type) {
  ValueId r = from_origin(box_.row, load_.in[2], row), c = from_origin(box_.col, load_.in[3], col);
  ValueId width = w_.size(b_, root_, 0);
  ValueId inside = b_.compare(Compare::Lt, c, width);
  ValueId index = w_.wide(b_, load_.in[1]);
  if (box_.row.tensor >= 0) {
    ValueId fits = b_.compare(Compare::Lt, r, w_.size(b_, root_, 1));
    inside = b_.binary(Op::And, inside, fits);
    index = b_.binary(Op::Add, index, b_.binary(Op::Mul, w_.wide(b_, r), w_.wide(b_, width)));
  }
  index = b_.binary(Op::Add, index, w_.wide(b_, c));
  return emit_load(type, index, 0, inside);
}

/// The same over the trips of a loop: what a trip changes is the column alone, of which a
/// thread's become immediate offsets. Predicates are few: past the last row the last one is
/// loaded where that makes nothing but sums that nobody stores, else a row's limit is 0.
ValueId ElementLoader::stream_elements(At row, At col, Type type) {
  ValueId limit = w_.size(b_, root_, 0), index = w_.wide(b_, load_.in[1]);
  if (box_.row.tensor >= 0) {
    ValueId width = w_.wide(b_, limit), rows = w_.size(b_, root_, 1);
    ValueId r = from_origin(box_.row, load_.in[2], row);
    if (w_.places.is_free(box_.row.tile)) {
      r = b_.binary(Op::Min, r, b_.binary(Op::Sub, rows, b_.constant(Elem::S32, 1)));
    } else {
      ValueId fits = b_.compare(Compare::Lt, r, rows);
      limit = b_.emit(Op::Select, {fits, limit, b_.constant(Elem::S32, 0)});
    }
    index = b_.binary(Op::Add, index, b_.binary(Op::Mul, w_.wide(b_, r), width));
  }
  ValueId inside = b_.compare(Compare::Lt, reached(col, type.lanes), limit);
  ValueId c = from_origin(box_.col, load_.in[3], {col.thread});
  index = b_.binary(Op::Add, index, w_.wide(b_, c));
  return emit_load(type, index, col.reg, inside);
}

/// A column that lies in the tensor if those from `col` on do. Rows are whole granules long:
/// where a thread's elements lie within one, the columns of all of them ask one question.
ValueId ElementLoader::reached(At col, int count) {
  const BoxAxis& axis = box_.col;
  std::int64_t granule = granule_of(axis);
  if (!axis.derived)
    granule = std::gcd(granule, w_.places.divisor(load_.in[3]));
  else if (w_.places.divisor(load_.in[3]) % axis.per != 0)
    granule = 1;
  granule = std::gcd(granule, col.piece);
  const std::int64_t within = col.reg % std::max<std::int64_t>(granule, 1);
  if (col.warp == no_value || within + col.lanes + count - 1 > granule)
    return from_origin(axis, load_.in[3], col);
  return from_origin(axis, load_.in[3], {col.warp, col.reg - within});
}

std::int64_t ElementLoader::granule_of(const BoxAxis& axis) const {
  if (axis.derived) return axis.times;
  std::int64_t granule = 0;
  for (int p : root_.params) {
    const Axis& a = w_.k.axes[w_.k.params[p].axes.back()];
    granule = std::gcd(granule, a.bound ? *a.bound : a.multiple);
  }
  return granule;
}

ValueId ElementLoader::from_origin(const BoxAxis& axis, ValueId origin, At at) {
  Places& p = w_.places;
  if (axis.derived && axis.per != 1) origin = b_.binary(Op::Div, origin, p.number(axis.per));
  if (axis.derived && axis.times != 1) origin = b_.binary(Op::Mul, origin, p.number(axis.times));
  return b_.binary(Op::Add, origin, p.add(at.thread, at.reg));
}

ValueId ElementLoader::emit_load(Type type, ValueId index, std::int64_t offset, ValueId active) {
  std::vector<ValueId> in{load_.in[0], index};
  if (active != no_value) in.push_back(active);
  std::vector<Attr> attrs;
  if (offset) attrs.push_back({Key::Offset, offset, {}});
  for (const Attr& a : load_.attrs)
    if (!in_slot() && ((a.key == Key::Order && !streamed()) || a.key == Key::Cache))
      attrs.push_back(a);
  ValueId v = b_.emit(Op::Load, type, std::move(in), std::move(attrs));
  if (streamed()) {
    w_.streamed[v] = ring_of(w_.k, load_)->ahead;
    if (words_of(w_.k, load_) == Words::Packed) w_.weights.insert(v);
  }
  return v;
}

}  // namespace barline::ir
