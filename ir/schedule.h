// SPDX-License-Identifier: Apache-2.0
// Schedule: how a kernel runs, as one constexpr value. Each field is an adjective of a concept
// (stream, split, team, budget), never of a kernel.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "ir/stream.h"

namespace barline::ir {

/// A list of fixed capacity, so that a Schedule is constexpr.
template <class T, int N>
struct List {
  std::array<T, N> items{};
  int count = 0;

  constexpr List() = default;
  constexpr List(std::initializer_list<T> init) {
    for (const T& t : init) items.at(count++) = t;
  }
  constexpr const T* begin() const { return items.data(); }
  constexpr const T* end() const { return items.data() + count; }
  constexpr bool operator==(const List&) const = default;
};

/// Promises about resources, checked against the ptxas report.
struct Budget {
  std::uint8_t ctas_per_sm = 0;  ///< at least so many blocks an SM; 0: no promise
  std::uint16_t regs = 0;        ///< register cap handed to ptxas; 0: none
  /// The next grid's blocks may start beside these (programmatic dependent launch): what a previous
  /// grid wrote is read after a wait for it.
  bool beside_next = false;
  constexpr bool operator==(const Budget&) const = default;
};

/// A block's tile of a product and the warps that share it, warps_m x warps_n. k: of one step.
struct MatrixTile {
  std::uint16_t m = 0, n = 0, k = 0;  ///< 0: the kernel multiplies no matrices
  std::uint8_t warps_m = 1, warps_n = 1;
  constexpr bool operator==(const MatrixTile&) const = default;
};

/// What multiplies: a warp's mma.sync, or a warpgroup's wgmma on operands in shared memory.
enum class MatrixUnit : std::uint8_t { Mma, Wgmma };

/// How a product is mapped to the matrix unit.
struct Dot {
  MatrixUnit unit = MatrixUnit::Mma;
  /// The operand that plays A, whose free axis is the unit's m; empty: the first factor. With the
  /// second, the unit computes the transposed product.
  std::string_view a{};
  constexpr bool operator==(const Dot&) const = default;
};

/// How the parts of a sum become one, always in ascending order of the parts.
enum class Merge : std::uint8_t { None, Smem, Dsmem };

/// The summed axis shared out over the members of a team: each sums every parts-th share of a step
/// (warps), or a range of steps (blocks of a cluster).
struct Split {
  std::string_view axis{};
  Team over = Team::Warp;
  std::uint16_t parts = 1;
  Merge merge = Merge::None;
  constexpr bool operator==(const Split&) const = default;
};

/// Warps with a job of their own: the first role fills streams, the second computes.
struct Role {
  std::string_view name{};
  std::uint8_t warps = 4;
  std::uint16_t regs = 0;  ///< a thread's registers (setmaxnreg); 0: as launched
  constexpr bool operator==(const Role&) const = default;
};

/// One tile of the grid a block, or as many blocks as fit that take one tile after the other.
enum class Walk : std::uint8_t { Grid, Persistent };

/// Where the segments of an axis go: to blocks of their own, or side by side into each block's
/// step.
enum class Segments : std::uint8_t { Grid, Inner };

struct Schedule {
  std::string_view name{};
  std::uint16_t threads = 256;  ///< of a tile kernel's block; with a matrix tile: its warps'
  MatrixTile tile{};
  Dot dot{};
  Walk walk = Walk::Grid;
  List<Split, 2> splits{};
  List<Role, 2> roles{};
  Segments segments = Segments::Grid;
  std::uint8_t vec = 1;           ///< neighbouring elements of a stripe a thread holds
  std::uint16_t stripe_cap = 64;  ///< elements a thread keeps in registers; a longer stripe loops
  std::uint8_t chunks = 1;  ///< chunks of threads*vec a block takes of an axis split over the grid
  std::uint8_t unroll = 1;  ///< chunks a trip of a looping stripe handles
  List<Stream, 4> streams{};  ///< operands staged through shared memory, and how
  Budget budget{};
  constexpr bool operator==(const Schedule&) const = default;
};

/// Visits every field by name, nested aggregates and lists as they are: the one place that
/// printing, hashing and the schema draw from.
template <class Visitor>
constexpr void fields(const Budget& b, Visitor&& visit) {
  visit("ctas_per_sm", b.ctas_per_sm);
  visit("regs", b.regs);
  visit("beside_next", b.beside_next);
}

template <class Visitor>
constexpr void fields(const Dot& d, Visitor&& visit) {
  visit("unit", d.unit);
  visit("a", d.a);
}

template <class Visitor>
constexpr void fields(const Split& s, Visitor&& visit) {
  visit("axis", s.axis);
  visit("over", s.over);
  visit("parts", s.parts);
  visit("merge", s.merge);
}

template <class Visitor>
constexpr void fields(const Role& r, Visitor&& visit) {
  visit("name", r.name);
  visit("warps", r.warps);
  visit("regs", r.regs);
}

template <class Visitor>
constexpr void fields(const MatrixTile& t, Visitor&& visit) {
  visit("m", t.m);
  visit("n", t.n);
  visit("k", t.k);
  visit("warps_m", t.warps_m);
  visit("warps_n", t.warps_n);
}

template <class Visitor>
constexpr void fields(const Schedule& s, Visitor&& visit) {
  visit("threads", s.threads);
  visit("tile", s.tile);
  visit("dot", s.dot);
  visit("walk", s.walk);
  visit("splits", s.splits);
  visit("roles", s.roles);
  visit("segments", s.segments);
  visit("vec", s.vec);
  visit("stripe_cap", s.stripe_cap);
  visit("chunks", s.chunks);
  visit("unroll", s.unroll);
  visit("streams", s.streams);
  visit("budget", s.budget);
}

/// "threads=256 tile.m=64 .. streams.of=x streams.store=smem ..": every field but the name, so that
/// no two different schedules have one text.
std::string text(const Schedule& s);

/// Warps that multiply: the tile's, once for each part of a sum that warps share out.
constexpr int product_warps(const Schedule& s) {
  int warps = s.tile.warps_m * s.tile.warps_n;
  for (const Split& split : s.splits)
    if (split.over == Team::Warp) warps *= split.parts;
  return warps;
}

/// Threads of a block, without those of a role that fills streams.
constexpr int block_threads(const Schedule& s) {
  return s.tile.m ? 32 * product_warps(s) : s.threads;
}

}  // namespace barline::ir
