// SPDX-License-Identifier: Apache-2.0
// Fragments in the simulator: where the elements that a lane holds stand, as tables, so that an
// instruction adds three numbers an element.
#pragma once

#include <vector>

#include "ir/copy_share.h"
#include "ir/fragment_use.h"
#include "ir/packing.h"
#include "ir/swizzle.h"
#include "verify/interp/program.h"

namespace barline::verify::sim {

/// Positions of a layout's elements along one axis: register, lane and warp each add their part.
struct Places {
  std::vector<std::int64_t> reg, lane, warp;
  std::int64_t at(std::size_t r, int l, std::uint32_t w) const {
    return reg[r] + lane[l] + warp[w];
  }
};
/// All zero if the axis is -1.
Places places_of(const ir::Layout& layout, int axis, std::int32_t warps);

/// The register of without_axis(layout, axis) that holds what register `reg` does along the rest.
std::uint32_t kept_register(const ir::Layout& layout, int axis, std::uint32_t reg);

/// A coordinate that the kernel computes, one a lane.
struct Coordinate {
  Operand at;
  ir::Elem elem{};
  std::int64_t read(const Warp& w, int lane) const;
};

/// One of a box's two axes in one tensor or slot.
struct FragmentSide {
  ir::BoxAxis axis;
  Places places;
  std::int64_t size = 1;  ///< of the tensor's axis
};

/// A tensor, or a slot, that a fragment's elements stand in.
struct FragmentRoot {
  Access access;
  FragmentSide row, col;
};

/// fragment_load, fragment_store and fill, decoded.
struct FragmentAccess {
  std::vector<FragmentRoot> roots;  ///< one, or those that a choose lists
  bool chosen = false;
  Operand choice;  ///< u32: which of them
  Coordinate row, col;
  ir::Words words = ir::Words::None;
  ir::Packing packing;
  ir::Swizzle swizzle;          ///< of the slot
  ir::CopyShare share;          ///< fill
  Access to;                    ///< fill: the slot
  Mask first_lanes = ~Mask{0};  ///< store: lanes, and warps, that no earlier one repeats
  std::vector<bool> first_warps;

  const FragmentRoot& root(const Warp& w) const;
};

/// dot: where a warp's operands stand in its registers, as register * 32 + lane.
struct DotPlan {
  int m = 16, n = 8, k = 16;  ///< of a warp
  ir::Atom atom;
  std::vector<std::uint32_t> a;  ///< m rows of k
  std::vector<std::uint32_t> b;  ///< n columns of k
  std::vector<std::uint32_t> c;  ///< m rows of n
};

}  // namespace barline::verify::sim
