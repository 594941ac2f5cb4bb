// SPDX-License-Identifier: Apache-2.0
// Three ways from memory to a fragment. Rows of 16-bit elements in a slot go through load_matrix,
// two groups (four 8x8 matrices) at a time: lane 8i + j names row j of matrix i, whose place is a
// number of the lane plus one of the registers. Packed words are a lane's own 16 bytes. All else is
// loaded by vectors as long as a group's neighbours are neighbours in memory, or one by one.
#include <algorithm>

#include "ir/diagnostic.h"
#include "ir/packing.h"
#include "ir/passes/element_loads_p.h"

namespace barline::ir {
namespace {

class GroupLoader : ElementLoader {
 public:
  using ElementLoader::ElementLoader;

  void group(int g, Groups& groups) {
    Elem tile = w_.k.type(load_.out[0]).elem;
    Words words = words_of(w_.k, load_);
    if (words == Words::Packed) return packed(g, groups);
    if (words == Words::Portable) {
      groups[g] = portable(g, tile);
    } else if (group_size(layout_) == 1) {
      groups[g] = elements(row(g), col(g), 1);
    } else if (by_matrix()) {
      matrices(g, groups);
    } else if (tile == Elem::S8) {
      groups[g] = byte_word(g);
    } else {
      one_by_one(g, groups);
    }
  }

 private:
  // ---- load_matrix ---------------------------------------------------------------------------

  /// 16-bit elements of a slot, neither axis derived, pairs along one axis and 8 lanes along the
  /// other, rows of whole chunks.
  bool by_matrix() const {
    bool plain = !box_.row.derived && !box_.col.derived && box_.row.tile >= 0 && box_.col.tile >= 0;
    return in_slot() && bits(elem_) == 16 && plain && swizzle_.columns % 8 == 0;
  }

  void matrices(int g, Groups& groups) {
    int other = neighbour(g);
    int first = std::min(g, other), second = std::max(g, other);
    if (other == g || groups[first] != no_value || groups[second] != no_value) {
      groups[g] = load_matrices(g, -1);
      return;
    }
    ValueId both = load_matrices(first, second);
    groups[first] = w_.extract(b_, both, 0, 4);
    groups[second] = w_.extract(b_, both, 4, 4);
    w_.joined(groups[first], groups[second], both);
  }

  /// The group whose matrices come along: A's other half, B's neighbour along n, or along k.
  int neighbour(int g) const {
    std::vector<std::int64_t> strides;  // in groups, of the register digits past the group
    std::int64_t stride = 1, inside = group_of_two_axes;
    for (const Digit& d : layout_.digits) {
      if (d.in != In::Reg) continue;
      std::int64_t extent = d.extent;
      if (inside > 1) {
        std::int64_t taken = std::min(inside, extent);
        inside /= taken;
        extent /= taken;
      }
      if (extent > 1) strides.push_back(stride);
      stride *= extent;
    }
    bool is_a = pair_axis() != second_pair_axis();
    std::size_t pick = is_a || strides.size() < 2 ? 0 : 1;
    if (strides.empty()) return g;
    auto s = strides[pick];
    std::int64_t extent_here = pick + 1 < strides.size() ? strides[pick + 1] / s : stride / s;
    if (extent_here % 2 != 0) return g;
    return static_cast<int>(g / s % 2 == 0 ? g + s : g - s);
  }

  int pair_axis() const { return layout_.digits[0].axis; }
  /// The axis along which a group's second pair lies.
  int second_pair_axis() const {
    auto moved = [&](int axis) {
      return Places::of_register(layout_, axis, 2) != Places::of_register(layout_, axis, 0);
    };
    return moved(box_.row.tile) ? box_.row.tile : box_.col.tile;
  }

  std::int64_t reg_at(const BoxAxis& axis, int group, int pair) const {
    return Places::of_register(layout_, axis.tile, group * group_of_two_axes + 2 * pair);
  }

  ValueId load_matrices(int g, int second) {
    Places& p = w_.places;
    std::int64_t r0 = reg_at(box_.row, g, 0), c0 = reg_at(box_.col, g, 0);
    ValueId row = p.op(Op::Add, p.of_warp(layout_, box_.row.tile), p.modulo(p.lane(), 8));
    ValueId col = p.of_warp(layout_, box_.col.tile), panel = p.number(0);
    if (swizzle_.pitch) {  // a warp's columns are a panel's
      panel = p.times(p.divided(col, swizzle_.columns), swizzle_.pitch);
      col = p.number(0);
    }
    ValueId bit0 = p.modulo(p.divided(p.lane(), 8), 2), bit1 = p.divided(p.lane(), 16);
    auto step = [&](ValueId at, ValueId bit, std::int64_t by) {
      return p.op(Op::Add, at, p.times(bit, by));
    };
    row = step(row, bit0, reg_at(box_.row, g, 1) - r0);
    col = step(col, bit0, reg_at(box_.col, g, 1) - c0);
    if (second >= 0) {
      row = step(row, bit1, reg_at(box_.row, second, 0) - r0);
      col = step(col, bit1, reg_at(box_.col, second, 0) - c0);
    }
    std::int64_t period = swizzle_.mask + 1, chunk = c0 / 8, low = chunk % period;
    ValueId turn = p.turn(swizzle_, p.modulo(p.lane(), 8));
    ValueId turned = p.op(Op::Xor, p.add(p.divided(col, 8), low), turn);
    ValueId index = p.op(Op::Add, p.times(row, swizzle_.columns), p.times(turned, 8));
    index = p.op(Op::Add, panel, index);
    std::int64_t offset = r0 * swizzle_.columns + (chunk - low) * 8;
    std::vector<Attr> attrs{{Key::Offset, offset, {}}};
    if (pair_axis() == box_.row.tile) attrs.push_back({Key::Transpose, 1, {}});
    return b_.emit(Op::LoadMatrix, vector(elem_, second >= 0 ? 8 : 4), {load_.in[0], index},
                   std::move(attrs));
  }

  // ---- one by one ------------------------------------------------------------------------------

  /// The elements of a group; a stream's other groups of the same elements (scales) share it.
  void one_by_one(int g, Groups& groups) {
    const std::vector<ElementPlace> places = places_of(g);
    std::vector<ValueId> parts;
    if (pairs(places)) {
      for (int i : {0, 2}) parts.push_back(elements(places[i].row, places[i].col, 2));
    } else {
      for (int i = 0; i < group_of_two_axes; ++i) {
        auto before = std::find(places.begin(), places.begin() + i, places[i]);
        parts.push_back(before < places.begin() + i ? parts[before - places.begin()]
                                                    : elements(places[i].row, places[i].col, 1));
      }
    }
    ValueId v = w_.pack(b_, parts);
    for (int other = 0; other < static_cast<int>(groups.size()); ++other)
      if (other == g || (streamed() && groups[other] == no_value && places_of(other) == places))
        groups[other] = v;
  }

  /// Do pairs of a register stream lie side by side, aligned, and in rows of whole pairs?
  bool pairs(const std::vector<ElementPlace>& places) const {
    bool even = streamed() && bits(elem_) == 16 && !box_.col.derived &&
                granule_of(box_.col) % 2 == 0 && w_.places.divisor(load_.in[3]) % 2 == 0 &&
                w_.places.divisor(load_.in[1]) % 2 == 0;
    for (int i : {0, 2}) {
      const At &a = places[i].col, &b = places[i + 1].col;
      even = even && places[i].row == places[i + 1].row && a.thread == b.thread &&
             b.reg == a.reg + 1 && a.reg % 2 == 0;
    }
    return even && lanes_are_even();
  }
  bool lanes_are_even() const {
    return std::all_of(layout_.digits.begin(), layout_.digits.end(), [&](const Digit& d) {
      return d.in == In::Reg || d.axis != box_.col.tile || d.step % 2 == 0;
    });
  }

  std::vector<ElementPlace> places_of(int g) {
    std::vector<ElementPlace> places;
    for (int i = 0; i < group_of_two_axes; ++i)
      places.push_back({row(g * group_of_two_axes + i), col(g * group_of_two_axes + i)});
    return places;
  }

  /// Four bytes of s8: neighbours of a row at once, or byte by byte.
  ValueId byte_word(int g) {
    int reg = g * group_of_two_axes;
    At r = row(reg), c = col(reg), last = col(reg + 3);
    bool neighbours = r == row(reg + 3) && last.thread == c.thread && last.reg == c.reg + 3;
    if (neighbours && in_slot())
      return b_.emit(Op::Bitcast, scalar(Elem::U32), {elements(r, c, 4)});
    ValueId byte[4];
    for (int i = 0; i < 4; ++i) {
      ValueId s = elements(row(reg + i), col(reg + i), 1);
      byte[i] = b_.cast(Elem::U32, b_.emit(Op::Bitcast, scalar(Elem::U8), {s}));
    }
    auto permute = [&](ValueId x, ValueId y, std::int64_t selector) {
      return b_.emit(Op::BytePermute, {x, y, b_.constant(Elem::U32, selector)});
    };
    return permute(permute(byte[0], byte[1], 0x0040), permute(byte[2], byte[3], 0x0040), 0x5410);
  }

  // ---- words ----------------------------------------------------------------------------------

  /// Elements 0, 1 of a group lie side by side in one word of a row, 2 and 3 in another (s4) or in
  /// the same way bytes of s8. The byte that holds a pair of nibbles is the lane's: both words'
  /// bytes, twice, make a word with element e at bit {0, 20, 8, 28}[e].
  ValueId portable(int g, Elem tile) {
    if (tile != Elem::S4 || box_.row.tile < 0 || !box_.col.quotient)
      fail(Diag::BadSchedule, load_.loc, "s8 words, or words along the outer axis, as a fragment",
           "keep s8 operands as s8 tensors, or pack them (ir/packing.h)");
    int reg = g * group_of_two_axes, axis = box_.col.tile;
    Places& p = w_.places;
    std::int64_t k = Places::of_register(layout_, axis, reg);
    ValueId words[2];
    bool apart = spans_rows(layout_);  // the second pair is of a row below, not of the next word
    bool at_once = in_slot() && !apart && swizzle_.columns % 2 == 0;
    ValueId both = at_once ? elements(row(reg), {p.number(0), k / 8}, 2) : no_value;
    for (int i = 0; i < 2; ++i)
      words[i] = at_once ? w_.extract(b_, both, i)
                         : elements(row(reg + 2 * i), {p.number(0), k / 8 + (apart ? 0 : i)}, 1);
    ValueId t = p.divided(p.of_thread(layout_, axis), 2);  // byte of the word, 0 .. 3
    ValueId selector = p.op(Op::Add, p.times(t, 0x1111), p.number(0x4040));
    return b_.emit(Op::BytePermute, {words[0], words[1], b_.cast(Elem::U32, selector)});
  }

  /// Where the word of a group begins, from the tile's origin.
  struct WordAt {
    std::int64_t n = 0, k = 0;
  };
  /// Half an A has the words of its step's upper or lower rows (fragments_p.h).
  WordAt word_at(int g) const {
    int reg = g * group_of_two_axes;
    std::int64_t n = Places::of_register(layout_, box_.row.tile, reg);
    std::int64_t k = Places::of_register(layout_, box_.col.tile, reg);
    if (!spans_rows(layout_)) return {n, k};
    return {n + 8 * (g % 2), k - 8 * (g % 2)};
  }

  /// A lane's four words of a unit hold the groups of unit_k / 16 steps along k, of one or two
  /// neighbours along n.
  void packed(int g, Groups& groups) {
    Places& p = w_.places;
    Packing packing{w_.k.type(load_.out[0]).elem};
    const auto [n, k] = word_at(g);
    std::int64_t unit_n = n / packing.unit_n(), unit_k = k / Packing::unit_k;
    At r{p.divided(p.of_warp(layout_, box_.row.tile), packing.unit_n()), unit_n};
    auto word_of = [&](std::int64_t n, std::int64_t k) {
      std::int64_t element = (n % packing.unit_n() / 8 * 4 + k % Packing::unit_k / 16) * 4;
      return element / packing.per_word();
    };
    // Bytes fill twice the registers of nibbles: half a lane's words of a slot at a time.
    const int count = packing.code == Elem::S8 && in_slot() ? 2 : 4;
    const std::int64_t first = word_of(n, k) / count * count;
    ValueId units = p.divided(p.of_warp(layout_, box_.col.tile), Packing::unit_k);
    ValueId warp = p.times(units, Packing::unit_words);
    At c{p.op(Op::Add, warp, p.times(p.lane(), 4)), unit_k * Packing::unit_words + first, warp,
         Packing::unit_words, Packing::unit_words - 3};
    ValueId words = elements(r, c, count);
    ValueId word[4];
    for (int i = 0; i < count; ++i) word[i] = w_.extract(b_, words, i);
    for (int other = 0; other < static_cast<int>(groups.size()); ++other) {
      const auto [on, ok] = word_at(other);
      if (on / packing.unit_n() != unit_n || ok / Packing::unit_k != unit_k) continue;
      std::int64_t at_word = word_of(on, ok) - first;
      if (at_word >= 0 && at_word < count) groups[other] = word[at_word];
    }
  }
};

}  // namespace

void load_group(Builder& b, FragmentWorld& w, const Operation& load, int g, Groups& groups) {
  GroupLoader(b, w, load).group(g, groups);
}

}  // namespace barline::ir
