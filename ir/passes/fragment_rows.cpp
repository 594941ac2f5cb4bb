// SPDX-License-Identifier: Apache-2.0
// Rows of 16 bytes. Of eight neighbours of 16 bits along a tensor's row the four lanes of a quad
// hold a pair each, so that a store of pairs fills half a sector. The quad takes four such rows and
// transposes them by two exchanges: lane t then holds row t whole.
//
//   lane     0   1   2   3            0   1   2   3
//   row 0   a0  a1  a2  a3           a0  b0  c0  d0
//   row 1   b0  b1  b2  b3    to     a1  b1  c1  d1
//   ..                               ..
//
// Where the pairs lie along the tensor's other axis (the transposed product's), movmatrix turns
// each 8 x 8 block first.
#include <algorithm>
#include <array>

#include "ir/passes/fragment_rows_p.h"

namespace barline::ir {
namespace {

constexpr int quad = 4, row_length = 8, lanes_a_warp = 32;

/// Do lane 4g + t's registers lie at (g, 2t) of (across, pairs)?
bool lies_as_sums(const Layout& l, int pairs, int across) {
  for (int lane = 0; lane < lanes_a_warp; ++lane)
    if (position(l, pairs, 0, lane) != lane % quad * 2 ||
        position(l, across, 0, lane) != lane / quad)
      return false;
  return true;
}

}  // namespace

std::vector<RowQuad> row_quads(const Layout& layout, const Box& box) {
  const int col = box.col.tile, row = box.row.tile;
  if (col < 0 || row < 0 || group_size(layout) != group_of_two_axes) return {};
  const bool along = layout.digits[0].axis == col;
  if (!lies_as_sums(layout, along ? col : row, along ? row : col)) return {};
  std::vector<RowPiece> pieces;
  for (int reg = 0; reg < registers(layout); reg += 2)
    pieces.push_back({.reg = reg,
                      .row = static_cast<int>(Places::of_register(layout, row, reg)),
                      .col = static_cast<int>(Places::of_register(layout, col, reg))});
  std::ranges::sort(pieces, {}, [](const RowPiece& p) { return std::pair(p.row, p.col); });
  if (pieces.size() % quad) return {};
  std::vector<RowQuad> quads;
  for (std::size_t i = 0; i < pieces.size(); i += quad) {
    RowQuad q{.pieces = {pieces[i], pieces[i + 1], pieces[i + 2], pieces[i + 3]}, .turned = !along};
    const auto& [a, b, c, d] = q.pieces;
    if (d.row - c.row != b.row - a.row || d.col - c.col != b.col - a.col) return {};
    quads.push_back(q);
  }
  return quads;
}

RowStore::RowStore(Builder& b, FragmentWorld& w, Places& places, const Layout& layout,
                   const Box& box)
    : b_(b), w_(w), t_(places.modulo(places.lane(), quad)), p_(places) {
  const ValueId across = p_.divided(p_.lane(), quad);
  row_ = p_.op(Op::Add, p_.of_warp(layout, box.row.tile), across);
  col_ = p_.of_warp(layout, box.col.tile);
  odd_ = b_.compare(Compare::Ne, p_.op(Op::And, t_, p_.number(1)), p_.number(0));
  high_ = b_.compare(Compare::Ge, t_, p_.number(2));
}

void RowStore::swap(ValueId upper, ValueId& low, ValueId& high, int mask) {
  const ValueId sent = b_.emit(Op::Select, {upper, low, high});
  const ValueId got = b_.emit(Op::Shuffle, {sent, p_.number(mask)},
                              {{Key::Mode, static_cast<std::int64_t>(ShuffleMode::Xor), {}}});
  low = b_.emit(Op::Select, {upper, got, low});
  high = b_.emit(Op::Select, {upper, high, got});
}

ValueId RowStore::value(const RowQuad& q, const Groups& groups) {
  std::array<ValueId, quad> words;
  Type pair;
  for (std::size_t i = 0; i < quad; ++i) {
    const int reg = q.pieces[i].reg;
    ValueId v = w_.extract(b_, groups[static_cast<std::size_t>(reg / group_of_two_axes)],
                           reg % group_of_two_axes, 2);
    if (q.turned) v = b_.emit(Op::MoveMatrix, {v});
    pair = w_.k.type(v);
    words[i] = b_.emit(Op::Bitcast, scalar(Elem::U32), {v});
  }
  swap(odd_, words[0], words[1], 1);
  swap(odd_, words[2], words[3], 1);
  swap(high_, words[0], words[2], 2);
  swap(high_, words[1], words[3], 2);
  const ValueId all = w_.pack(b_, {words[0], words[1], words[2], words[3]});
  return b_.emit(Op::Bitcast, vector(pair.elem, row_length), {all});
}

/// base + first + (t % 2) * (second - first) + (t / 2) * (third - first).
ValueId RowStore::place(ValueId base, int first, int second, int third) {
  ValueId at = p_.add(base, first);
  at = p_.op(Op::Add, at, p_.times(p_.modulo(t_, 2), second - first));
  return p_.op(Op::Add, at, p_.times(p_.divided(t_, 2), third - first));
}

ValueId RowStore::row(const RowQuad& q) {
  return place(row_, q.pieces[0].row, q.pieces[1].row, q.pieces[2].row);
}

ValueId RowStore::column(const RowQuad& q) {
  return place(col_, q.pieces[0].col, q.pieces[1].col, q.pieces[2].col);
}

}  // namespace barline::ir
