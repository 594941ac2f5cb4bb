// SPDX-License-Identifier: Apache-2.0
// Three ways from memory to a fragment. Rows of 16-bit elements in a slot go through load_matrix,
// two groups (four 8x8 matrices) at a time: lane 8i + j names row j of matrix i, whose place is a
// number of the lane plus one of the registers. Packed words are a lane's own 16 bytes. All else is
// loaded by vectors as long as a group's neighbours are neighbours in memory, or one by one.
#include <algorithm>
#include <numeric>

#include "ir/diagnostic.h"
#include "ir/packing.h"
#include "ir/passes/fragments_p.h"
#include "ir/passes/rings_p.h"

namespace barline::ir {
namespace {

/// A position along an axis of the tensor: a thread's part and a register's. Of the thread's part
/// the warp's is a multiple of `piece` and what the lane adds is less than `lanes`.
struct At {
  ValueId thread;
  std::int64_t reg = 0;
  ValueId warp = no_value;
  std::int64_t piece = 1, lanes = 1;
  bool operator==(const At& o) const { return thread == o.thread && reg == o.reg; }
};
struct Place {
  At row, col;
  bool operator==(const Place&) const = default;
};

class GroupLoader {
 public:
  GroupLoader(Builder& b, FragmentWorld& w, const Operation& load)
      : b_(b),
        w_(w),
        load_(load),
        layout_(w.layout(load.out[0])),
        root_(w.root(load.in[0])),
        box_(*box_of(w.k, w.k.params[w.source(load)], layout_)),
        elem_(w.k.type(load.in[0]).elem),
        swizzle_(slot_swizzle(load, bytes(elem_))) {}

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
  bool in_slot() const { return root_.slot >= 0; }
  bool streamed() const { return !in_slot() && ring_of(w_.k, load_); }

  /// Position of register `reg` along the tensor's axis. Origins are multiples of a derived axis'
  /// step or lie within one, so quotients of origin and position add.
  At at(const BoxAxis& axis, int reg) {
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
    if (r % piece + lanes > piece)
      return {w_.places.divided(w_.places.add(thread, r), axis.per), 0};
    ValueId warp = w_.places.of_warp(layout_, axis.tile);
    std::int64_t whole = r / piece * piece;
    if (piece == axis.per) return {w_.places.divided(warp, axis.per), whole / axis.per};
    return {w_.places.divided(w_.places.add(warp, whole), axis.per), 0};
  }
  /// What divides the warps' steps along an axis of the tile, and how far lanes reach.
  std::pair<std::int64_t, std::int64_t> spans(int axis) const {
    std::int64_t piece = 0, lanes = 1;
    for (const Digit& d : layout_.digits) {
      if (d.axis == axis && d.in == In::Warp) piece = std::gcd(piece, d.step);
      if (d.axis == axis && d.in == In::Lane) lanes += (d.extent - 1) * d.step;
    }
    return {piece, lanes};
  }
  At row(int reg) { return at(box_.row, reg); }
  At col(int reg) { return at(box_.col, reg); }

  /// `lanes` neighbours of a row from (row, col) on.
  ValueId elements(At row, At col, int lanes) {
    Type type = lanes == 1 ? scalar(elem_) : vector(elem_, lanes);
    if (in_slot()) return slot_elements(row, col, type);
    return streamed() ? stream_elements(row, col, type) : tensor_elements(row, col, type);
  }

  ValueId slot_elements(At row, At col, Type type) {
    Places& p = w_.places;
    std::int64_t offset = row.reg * swizzle_.columns + col.reg;
    ValueId index = p.op(Op::Add, p.times(row.thread, swizzle_.columns), col.thread);
    if (swizzle_.mask) {
      ValueId r = p.add(row.thread, row.reg), c = p.add(col.thread, col.reg);
      ValueId turn = p.modulo(p.divided(r, 1 << swizzle_.shift), swizzle_.mask + 1);
      ValueId chunk = p.op(Op::Xor, p.divided(c, swizzle_.chunk), turn);
      index = p.op(Op::Add, p.times(r, swizzle_.columns), p.times(chunk, swizzle_.chunk));
      index = p.op(Op::Add, index, p.modulo(c, swizzle_.chunk));
      offset = 0;
    }
    return emit_load(type, index, offset, no_value);
  }

  ValueId tensor_elements(At row, At col, Type type) {
    ValueId r = from_origin(box_.row, load_.in[2], row),
            c = from_origin(box_.col, load_.in[3], col);
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
  ValueId stream_elements(At row, At col, Type type) {
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
  ValueId reached(At col, int count) {
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

  /// What divides the sizes that the axis may have.
  std::int64_t granule_of(const BoxAxis& axis) const {
    if (axis.derived) return axis.times;
    std::int64_t granule = 0;
    for (int p : root_.params) {
      const Axis& a = w_.k.axes[w_.k.params[p].axes.back()];
      granule = std::gcd(granule, a.bound ? *a.bound : a.multiple);
    }
    return granule;
  }

  ValueId from_origin(const BoxAxis& axis, ValueId origin, At at) {
    Places& p = w_.places;
    if (axis.derived && axis.per != 1) origin = b_.binary(Op::Div, origin, p.number(axis.per));
    if (axis.derived && axis.times != 1) origin = b_.binary(Op::Mul, origin, p.number(axis.times));
    return b_.binary(Op::Add, origin, p.add(at.thread, at.reg));
  }

  ValueId emit_load(Type type, ValueId index, std::int64_t offset, ValueId active) {
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
    ValueId col = p.of_warp(layout_, box_.col.tile);
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
    ValueId turn = p.modulo(p.divided(p.modulo(p.lane(), 8), 1 << swizzle_.shift), period);
    ValueId turned = p.op(Op::Xor, p.add(p.divided(col, 8), low), turn);
    ValueId index = p.op(Op::Add, p.times(row, swizzle_.columns), p.times(turned, 8));
    std::int64_t offset = r0 * swizzle_.columns + (chunk - low) * 8;
    std::vector<Attr> attrs{{Key::Offset, offset, {}}};
    if (pair_axis() == box_.row.tile) attrs.push_back({Key::Transpose, 1, {}});
    return b_.emit(Op::LoadMatrix, vector(elem_, second >= 0 ? 8 : 4), {load_.in[0], index},
                   std::move(attrs));
  }

  // ---- one by one ------------------------------------------------------------------------------

  /// The elements of a group; a stream's other groups of the same elements (scales) share it.
  void one_by_one(int g, Groups& groups) {
    const std::vector<Place> places = places_of(g);
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
  bool pairs(const std::vector<Place>& places) const {
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

  std::vector<Place> places_of(int g) {
    std::vector<Place> places;
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

  // ---- words
  // -------------------------------------------------------------------------------------

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

  Builder& b_;
  FragmentWorld& w_;
  const Operation& load_;
  const Layout& layout_;
  const Root& root_;
  Box box_;
  Elem elem_;
  Swizzle swizzle_;
};

}  // namespace

void load_group(Builder& b, FragmentWorld& w, const Operation& load, int g, Groups& groups) {
  GroupLoader(b, w, load).group(g, groups);
}

}  // namespace barline::ir
