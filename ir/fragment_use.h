// SPDX-License-Identifier: Apache-2.0
// What the operands of fragment ops mean to each other: the axes and the atom of a product, and how
// the box of a tile stands over the axes of a tensor or of a slot. Checks, the simulator and the
// passes ask here.
#pragma once

#include <optional>
#include <vector>

#include "ir/fragment.h"
#include "ir/kernel.h"
#include "ir/swizzle.h"

namespace barline::ir {

/// The axes along which a tile's elements differ, in the order of its layout's digits.
std::vector<int> tile_axes(const Layout& layout);

/// acc(m, n) += a(m, k) * b(k, n), as `dot` takes it.
struct Product {
  int m = -1, n = -1, k = -1;  ///< indices into Kernel::axes
  BlockTile tile{};
  Atom atom{};
};
/// The product that the layouts make, or nothing if they are not those of one block tile.
std::optional<Product> product_of(const Layout& acc, const Layout& a, const Layout& b,
                                  Elem operand);

/// One of the two axes that a box spans.
struct BoxAxis {
  int tensor = -1;        ///< the tensor's axis; -1: a one-axis tensor has no rows
  int tile = -1;          ///< the tile's axis that runs along it; -1: the box is one wide
  bool quotient = false;  ///< the tile runs along the parent of the tensor's axis
  bool derived = false;
  std::int64_t per = 1, times = 1;  ///< of the derived axis

  /// Index along the tensor's axis of the tile's element at `position` from `origin`, which counts
  /// the parent's elements where the axis is derived.
  std::int64_t index(std::int64_t origin, std::int64_t position) const;
};

struct Box {
  BoxAxis row, col;
};

/// How a tile stands over a parameter's last two axes (one: its only axis), or nothing if an axis
/// of the tile runs along none of them. The segments of one axis stand for each other.
std::optional<Box> box_of(const Kernel& k, const Param& p, const Layout& tile);
/// The box that a fill copies from a parameter.
Box box_of(const Kernel& k, const Param& p);

/// How a tile of s4 or s8 lies in words of u32.
enum class Words : std::uint8_t { None, Portable, Packed };
Words words_of(const Kernel& k, const Operation& load);

/// Where the elements of the box stand that a fragment load reads from a slot.
Swizzle slot_swizzle(const Operation& load, int bytes);

/// The parameters that a fragment load reads: its root's, or where the root is a slot, those that
/// fill it.
std::vector<int> sources_of(const Kernel& k, const std::vector<const Operation*>& defs,
                            const Operation& load);

}  // namespace barline::ir
