// SPDX-License-Identifier: Apache-2.0
// Axes: named dimensions of a problem, bound at compile time, sized by the launch, or derived from
// another axis.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace barline::ir {

struct Axis {
  std::string name;
  std::optional<std::int64_t> bound;  ///< known at compile time
  std::int64_t multiple = 1;          ///< a promise about dynamic sizes, checked at launch
  /// The axis of the kernel that it is derived from, with ceil(size / per) * times elements; such
  /// an axis has no size of its own in the launch. -1: none.
  int of = -1;
  std::int64_t per = 1;
  std::int64_t times = 1;
  bool operator==(const Axis&) const = default;
};

}  // namespace barline::ir
