// SPDX-License-Identifier: Apache-2.0
// Where the sum of the parts stands that a block's warps hold of a tile: the register groups of the
// parts' layout, as many as can be, are spread over the warps that held a part each.
#pragma once

#include "ir/layout.h"

namespace barline::ir {

/// The layout of what `merge` over warps makes of tiles in `parts_layout`, whose slowest warp digit
/// has one warp a part (step 0). Warps that find no groups of their own hold what others do.
///
///   48 x 8 in 8 parts   reg 2, reg 2 of a group; reg 3 -> n*16, warp 8 -> n*0
///   the sum             reg 2, reg 2 of a group; warp 3 -> n*16, warp 3 -> n*0
Layout merged_layout(std::string name, const Layout& parts_layout, int parts);

/// True if the layout's slowest digit of warps has one a part, all in one place.
bool has_parts(const Layout& layout, int parts);

/// One digit of a sum's warps, and the register groups of the parts that it walks.
struct MergeDigit {
  std::int64_t extent = 1;
  std::int64_t groups = 1;  ///< a unit's step in groups of the parts' layout
};
/// How a warp finds the groups that it sums: group g of the sum is made of the groups
/// of_registers[g] + the digits of warp / placed, each times its step.
struct MergePlan {
  std::int64_t placed = 1;  ///< warps along m and n, the fastest
  std::vector<MergeDigit> digits;
  std::vector<std::int64_t> of_registers;
};
MergePlan merge_plan(const Layout& parts_layout, int parts);

}  // namespace barline::ir
