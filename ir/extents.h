// SPDX-License-Identifier: Apache-2.0
// Extents of one launch: the sizes of axes that follow from others, and how many blocks a grid has.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "ir/kernel.h"

namespace barline::ir {

/// A launch gives this axis a size.
inline bool is_dynamic(const Axis& a) { return !a.bound && a.of < 0; }

/// The size of an axis derived from one of `of` elements.
constexpr std::int64_t derived_size(const Axis& axis, std::int64_t of) {
  return (of + axis.per - 1) / axis.per * axis.times;
}

/// Fills in the derived axes' sizes from those of the others; `sizes` has one an axis.
void derive_sizes(const Kernel& k, std::span<std::int64_t> sizes);

/// One size an axis, in order: what is bound, free_size(axis) of what a launch gives a size, and
/// what follows from those.
template <class FreeSize>
std::vector<std::int64_t> axis_sizes(const Kernel& k, FreeSize free_size) {
  std::vector<std::int64_t> sizes(k.axes.size());
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    const Axis& a = k.axes[i];
    if (a.of < 0) sizes[i] = a.bound ? *a.bound : free_size(a);
  }
  derive_sizes(k, sizes);
  return sizes;
}

/// Blocks along a dimension of the grid, from the sizes of all axes.
std::int64_t blocks(const GridDim& dim, std::span<const std::int64_t> sizes);

}  // namespace barline::ir
