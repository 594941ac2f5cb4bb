// SPDX-License-Identifier: Apache-2.0
// Axes: named dimensions of a problem, bound at compile time or left dynamic, possibly segmented.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace barline::ir {

/// A named part of an axis (q | k | v): `extent` elements after the segments before it.
struct Segment {
  std::string name;
  std::int64_t extent = 0;
  bool operator==(const Segment&) const = default;
};

struct Axis {
  std::string name;
  std::optional<std::int64_t> bound;  ///< known at compile time
  std::int64_t multiple = 1;          ///< a promise about dynamic extents, checked at launch
  std::vector<Segment> segments;
  /// Derived: as many as ceil(size(axes[of]) / per) * times; no size of its own in the launch.
  int of = -1;
  std::int64_t per = 1;
  std::int64_t times = 1;
  bool operator==(const Axis&) const = default;
};

}  // namespace barline::ir
