// SPDX-License-Identifier: Apache-2.0
// A register stream by way of shared memory. Lanes that load their own pairs of a fragment touch a
// line of memory a row, for four bytes of it; with two atoms' rows that costs more than all else.
// So each warp loads the share that it alone reads in vectors of 16 bytes, lanes along the rows,
// trips ahead as any stream; puts it in a part of a slot that is its own, and takes the fragments
// from there by load_matrix:
//
//   for %i { %v = load x[%i]              trips ahead (fragment_streams)
//            warp_sync                    the trip before has read its matrices
//            store staged[warp], %v
//            warp_sync
//            .. load_matrix staged[warp] .. }
//
// Only lanes of one warp meet there, so no barrier is needed.
#include "ir/passes/element_loads_p.h"

namespace barline::ir {
namespace {

constexpr std::int64_t vector_elements = 8;  // of 16 bits
/// Of an 8-row tile mostly one row is there: its pairs are four lanes' load.
constexpr std::int64_t rows_at_least = 16;

class Stager : ElementLoader {
 public:
  Stager(Builder& b, FragmentWorld& w, const Operation& load) : ElementLoader(b, w, load) {
    for (const Digit& d : layout_.digits) {
      const std::int64_t reach = (d.extent - 1) * d.step;
      const bool along = d.axis == box_.col.tile;
      if (d.in != In::Warp)
        (along ? columns_ : rows_) += reach;
      else if (along && d.step)
        others_ += reach;
      else
        shared_ = true;
    }
  }

  /// Is it a stream of 16-bit rows, neither axis derived, pairs along them as B has them; are a
  /// warp's columns its own, and do its lanes make whole rows of them?
  bool possible() const {
    const bool plain = !box_.row.derived && !box_.col.derived && box_.row.tile >= 0 &&
                       box_.col.tile >= 0 && bits(elem_) == 16 && !spans_rows(layout_) &&
                       layout_.digits[0].axis == box_.col.tile;
    return streamed() && plain && !shared_ && others_ % columns_ == 0 && rows_ >= rows_at_least &&
           columns_ % vector_elements == 0 && warp_size % chunks() == 0 &&
           rows_ % rows_a_load() == 0 && granule_of(box_.col) % vector_elements == 0;
  }

  Operation stage() {
    std::vector<ValueId> loaded;
    const ValueId first = w_.places.of_warp(layout_, box_.col.tile);
    const ValueId col = w_.places.op(Op::Add, first, w_.places.times(chunk(), vector_elements));
    for (std::int64_t r = 0; r < rows_; r += rows_a_load())
      loaded.push_back(elements({row(), r},
                                {col, 0, first, columns_, columns_ - vector_elements + 1},
                                static_cast<int>(vector_elements)));
    const ValueId slot = w_.add_slot("staged", load_, (others_ + columns_) * rows_);
    b_.emit(Op::WarpSync, {});
    for (std::size_t i = 0; i < loaded.size(); ++i)
      store(slot, static_cast<std::int64_t>(i) * rows_a_load(), loaded[i]);
    b_.emit(Op::WarpSync, {});
    Operation read = load_;
    read.in = {slot, w_.places.number(0), w_.places.number(0), w_.places.number(0)};
    read.attrs.clear();
    read.set(Key::Columns, columns_);
    read.set(Key::Pitch, part());
    return read;
  }

 private:
  std::int64_t chunks() const { return columns_ / vector_elements; }
  std::int64_t rows_a_load() const { return warp_size / chunks(); }
  /// Elements of the slot that are one warp's.
  std::int64_t part() const { return rows_ * columns_; }
  /// Where the lane's first vector stands in the warp's box.
  ValueId row() { return w_.places.divided(w_.places.lane(), chunks()); }
  ValueId chunk() { return w_.places.modulo(w_.places.lane(), chunks()); }

  /// The lane's vector `r` rows below its first.
  void store(ValueId slot, std::int64_t r, ValueId vector) {
    Places& p = w_.places;
    const Swizzle s = swizzle_of(columns_, bytes(elem_));
    const std::int64_t low = r % (std::int64_t{s.mask + 1} << s.shift);
    const ValueId at = p.add(row(), low);
    const ValueId turn = p.turn(s, at);
    const ValueId place =
        p.op(Op::Add, p.times(at, columns_), p.times(p.op(Op::Xor, chunk(), turn), s.chunk));
    const ValueId own = p.times(p.divided(p.of_warp(layout_, box_.col.tile), columns_), part());
    Operation op{.op = Op::Store,
                 .in = {slot, p.op(Op::Add, own, place), vector},
                 .out = {},
                 .attrs = {},
                 .regions = {},
                 .loc = load_.loc};
    if (r > low) op.set(Key::Offset, (r - low) * columns_);
    b_.append(std::move(op));
  }

  std::int64_t rows_ = 1, columns_ = 1;  ///< of a warp's box
  std::int64_t others_ = 0;              ///< columns of the warps beside it
  bool shared_ = false;                  ///< several warps read the same elements
};

}  // namespace

std::optional<Operation> staged(Builder& b, FragmentWorld& w, const Operation& load) {
  if (group_size(w.layout(load.out[0])) != group_of_two_axes) return std::nullopt;
  if (words_of(w.k, load) != Words::None) return std::nullopt;
  Stager s(b, w, load);
  if (!s.possible()) return std::nullopt;
  return s.stage();
}

}  // namespace barline::ir
