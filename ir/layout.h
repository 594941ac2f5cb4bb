// SPDX-License-Identifier: Apache-2.0
// Layouts: which element of an axis stands in which register of which thread of which block.
//
// A layout is a list of mixed-radix digits, least significant first. A coordinate (bit, word,
// register, lane, warp, block, ...) is written in the digits of its kind, and each digit adds
// `step` elements along its axis a unit. One object gives the kernel's view, the host packer, the
// bank-conflict count and a picture. A stripe of a row of 8192 over 256 threads of 8 elements:
//
//   reg 8 -> d*1, lane 32 -> d*8, warp 8 -> d*256, chunk 4 -> d*2048
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace barline::ir {

/// The coordinate that a digit reads.
enum class In : std::uint8_t { Bit, Word, Reg, Lane, Slab, Unit, Warp, Cta, Row, Chunk };

struct Digit {
  In in = In::Reg;
  std::int64_t extent = 1;  ///< the digit runs over 0 .. extent-1; 0: as many as the axis needs
  int axis = 0;             ///< index into Kernel::axes
  std::int64_t step = 1;    ///< elements along the axis a unit

  bool operator==(const Digit&) const = default;
};

/// Values of the coordinates, indexed by In.
struct Coordinate {
  std::int64_t at[10] = {};
  std::int64_t& operator[](In in) { return at[static_cast<int>(in)]; }
  std::int64_t operator[](In in) const { return at[static_cast<int>(in)]; }
};

struct Layout {
  std::string name;
  std::vector<Digit> digits;
  bool operator==(const Layout&) const = default;
};

/// The position along `axis` of a coordinate: the sum of its digits' values times their steps.
std::int64_t evaluate(std::span<const Digit> layout, int axis, const Coordinate& at);

/// The coordinate that holds position `index` of `axis`, or nothing if no digit reaches it. Digits
/// of one axis must divide each other's steps (every layout here does).
std::optional<Coordinate> invert(std::span<const Digit> layout, int axis, std::int64_t index);

/// True if no two coordinates hold the same element (extents of 0 are taken as 1).
bool is_injective(std::span<const Digit> layout);

/// Product of the extents of the digits that read `in`.
std::int64_t extent(std::span<const Digit> layout, In in);

/// What a stripe's digits say, in the terms of the passes: per step, `vec` neighbours a thread.
struct StripeShape {
  int axis = 0;
  int vec = 1;              ///< neighbouring elements a thread holds
  int threads = 1;          ///< lanes * warps
  std::int64_t chunks = 0;  ///< chunks of threads*vec elements a block holds; 0: known at run time
  bool over_grid = false;   ///< the axis is split over blocks, else one block covers it
  int unroll = 1;  ///< chunks a trip of the loop over a share that does not stay in registers
};

/// The stripe that the digits describe. Precondition: made by `stripe_layout`.
StripeShape stripe_shape(const Layout& layout);
Layout stripe_layout(std::string name, const StripeShape& shape);

std::string_view name(In in);
std::optional<In> parse_in(std::string_view name);

}  // namespace barline::ir
