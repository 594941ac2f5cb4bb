// SPDX-License-Identifier: Apache-2.0
// Fragments: how the operands of a matrix instruction are spread over a block's registers. The
// layouts derive from the atom's m, n, k and the 32 lanes; nothing else in the compiler knows them.
//
//   C (m x n)  reg 2 -> n*1, lane 4 -> n*2, lane 8 -> m*1, reg 2 -> m*8, reg -> n*8, reg -> m*16
//   A (m x k)  reg w -> k*1, lane 4 -> k*w, lane 8 -> m*1, reg 2 -> m*8, reg -> k*4w, reg -> m*16
//   B (k x n)  reg w -> k*1, lane 4 -> k*w, lane 8 -> n*1,               reg -> k*4w, reg -> n*8
//
// w elements fill a register: 2 of 16 bits, 4 of 8. The block's warps follow, those along n first;
// warps that hold the same elements have a digit of step 0. With w = 2 a C over (m, n) and an A
// over (m, k = n) are the same layout: a product is the next one's operand where it stands.
#pragma once

#include <optional>
#include <string>

#include "ir/layout.h"
#include "ir/type.h"

namespace barline::ir {

/// Shapes of mma.sync, as PTX names them.
struct Atom {
  int m = 16, n = 8, k = 16;
  bool operator==(const Atom&) const = default;
};
/// The atom that multiplies elements of this type: k = 16 for f16 and bf16, 32 for s8.
std::optional<Atom> atom_of(Elem operand);

/// A block's tile of a product, and how its warps lie over it: warps_m x warps_n, those along n
/// adjacent. m, n and k are multiples of the atom's times the warps along them.
struct BlockTile {
  int m = 64, n = 64, k = 16;
  int warps_m = 1, warps_n = 1;
  /// Warps that share the tile's k out: warp p of them multiplies positions p * k / warps_k ..; C
  /// is then a part of the sum. They are the slowest, after those along n and m.
  int warps_k = 1;
  /// Along m, four neighbouring warps take blocks of 64 together (wgmma).
  bool warpgroups = false;
};

Layout fragment_a(std::string name, Atom atom, const BlockTile& tile, int axis_m, int axis_k);
Layout fragment_b(std::string name, Atom atom, const BlockTile& tile, int axis_k, int axis_n);
Layout fragment_c(std::string name, Atom atom, const BlockTile& tile, int axis_m, int axis_n);

/// True if the layout is a fragment's (or one axis of it), not a stripe's.
bool is_fragment(const Layout& layout);
/// The layout along the other axis alone: lanes and warps stay, registers of `axis` go.
Layout without_axis(const Layout& layout, int axis);
/// True if both give every register of every thread the same element.
bool same_places(const Layout& a, const Layout& b);
/// Elements that a thread holds.
int registers(const Layout& layout);
/// Extent of the tile along the axis.
std::int64_t extent_along(const Layout& layout, int axis);
/// Position along `axis` of register `reg` of a thread of the block, from the tile's origin.
std::int64_t position(const Layout& layout, int axis, int reg, int thread);

}  // namespace barline::ir
