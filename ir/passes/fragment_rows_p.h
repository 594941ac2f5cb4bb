// SPDX-License-Identifier: Apache-2.0
// Stores of a fragment of 16-bit elements by whole rows of 16 bytes a thread.
#pragma once

#include <array>
#include <vector>

#include "ir/passes/fragments_p.h"

namespace barline::ir {

/// Eight neighbours of a row, of which a quad's lanes hold a pair each: the first register of the
/// pair, and where the row begins, from the warp's origin.
struct RowPiece {
  int reg = 0;
  int row = 0, col = 0;
};

/// Four of them, at the corners of a parallelogram.
struct RowQuad {
  std::array<RowPiece, 4> pieces;
  bool turned = false;  ///< the pairs lie across the rows
};

/// All of a fragment's elements in such rows; empty where it does not lie as sums do, in fours.
std::vector<RowQuad> row_quads(const Layout& layout, const Box& box);

/// What a thread stores of each quad, and where: from the fragment's origin.
class RowStore {
 public:
  RowStore(Builder& b, FragmentWorld& w, Places& places, const Layout& layout, const Box& box);

  ValueId value(const RowQuad& q, const Groups& groups);
  ValueId row(const RowQuad& q);
  ValueId column(const RowQuad& q);

 private:
  /// The lanes `mask` apart exchange: the one where `upper` holds gives low for the other's high.
  void swap(ValueId upper, ValueId& low, ValueId& high, int mask);
  ValueId place(ValueId base, int first, int second, int third);

  Builder& b_;
  FragmentWorld& w_;
  ValueId t_;  ///< lane of the quad
  Places& p_;
  ValueId row_, col_, odd_, high_;
};

}  // namespace barline::ir
