// SPDX-License-Identifier: Apache-2.0
// Tensor parameters of a kernel and the places in them that a body names: x(row, all).
#pragma once

#include <optional>
#include <vector>

#include "dsl/value.h"

namespace barline::dsl {

struct All {};
struct Part {};
/// Every position of the axis; the block covers it.
inline constexpr All all{};
/// This block's part of an axis that the schedule splits over the grid.
inline constexpr Part part{};

/// A run of positions along an axis that a tile takes: this block's, or a step of a sum.
struct Span {
  std::string axis;
  std::optional<Value> origin{};  ///< nothing: the block's own, or all of a bound axis
  std::int64_t extent = 0;        ///< positions; 0: as the schedule shares out the axis
};
/// The step of a sum or of a loop over an axis that the body is at, or the block's rows.
struct Index {
  std::string axis;
  Value origin;             ///< s32: the first position
  std::int64_t extent = 0;  ///< positions; those past the axis' end are zero when read
};

/// One coordinate of a place.
using Coord = std::variant<Value, std::int64_t, All, Part, Span>;

struct Tensor;

/// A place in a tensor: one coordinate an axis, and where it was named.
struct Place {
  const Tensor* tensor = nullptr;
  std::vector<Coord> coords;
  ir::Loc loc;
};

/// A coordinate as an author writes it; made implicitly, so that it records the place.
struct CoordArg {
  Coord coord;
  Here here;
  CoordArg(const Value& v, Here here = Here::current()) : coord(v), here(here) {}
  CoordArg(const Var& v, Here here = Here::current());
  CoordArg(int i, Here here = Here::current()) : coord(std::int64_t{i}), here(here) {}
  CoordArg(std::int64_t i, Here here = Here::current()) : coord(i), here(here) {}
  CoordArg(All a, Here here = Here::current()) : coord(a), here(here) {}
  CoordArg(Part p, Here here = Here::current()) : coord(p), here(here) {}
  CoordArg(const Axis& a, Here here = Here::current()) : coord(Span{a.name}), here(here) {}
  CoordArg(const Index& i, Here here = Here::current())
      : coord(Span{i.axis, i.origin, i.extent}), here(here) {}
};

/// A tensor parameter: a name, an element type and its axes, slowest first; dense and row-major.
struct Tensor {
  std::string name;
  Elem elem = f32;
  std::vector<Axis> axes;
  ir::Access access = ir::Access::In;
  ir::Loc loc;
  bool scratch = false;

  /// A place: one coordinate for each axis.
  template <class... Coords>
  Place operator()(CoordArg first, Coords... rest) const {
    return {this, {first.coord, CoordArg(rest).coord...}, first.here};
  }
};

/// Only read.
struct In : Tensor {
  In(std::string name, Elem elem, std::vector<Axis> axes, Here here = Here::current())
      : Tensor{std::move(name), elem, std::move(axes), ir::Access::In, here} {}
};
/// Only written.
struct Out : Tensor {
  Out(std::string name, Elem elem, std::vector<Axis> axes, Here here = Here::current())
      : Tensor{std::move(name), elem, std::move(axes), ir::Access::Out, here} {}
};
/// Read and written.
struct InOut : Tensor {
  InOut(std::string name, Elem elem, std::vector<Axis> axes, Here here = Here::current())
      : Tensor{std::move(name), elem, std::move(axes), ir::Access::InOut, here} {}
};
/// Partial results, counters and flags of a launch's blocks: read and written, of no interest to
/// the caller. It is zeroed once, and a launch finds it as the launch before left it. A host may
/// pass all of a kernel's as one workspace.
struct Scratch : Tensor {
  Scratch(std::string name, Elem elem, std::vector<Axis> axes, Here here = Here::current())
      : Tensor{std::move(name), elem, std::move(axes), ir::Access::InOut, here, true} {}
};

}  // namespace barline::dsl
