// SPDX-License-Identifier: Apache-2.0
// Extents of one launch: the sizes of axes that follow from others, and how many blocks a grid has.
#pragma once

#include <cstdint>
#include <span>

#include "ir/axis_sizes.h"
#include "ir/kernel.h"

namespace barline::ir {

/// A launch gives this axis a size.
inline bool is_dynamic(const Axis& a) { return !a.bound && a.of < 0; }

/// Fills in the derived axes' sizes from those of the others; `sizes` has one an axis.
void derive_sizes(const Kernel& k, std::span<std::int64_t> sizes);

/// Blocks along a dimension of the grid, from the sizes of all axes.
std::int64_t blocks(const GridDim& dim, std::span<const std::int64_t> sizes);

}  // namespace barline::ir
