// SPDX-License-Identifier: Apache-2.0
// Sizes of a kernel's axes from those of the ones that have a size of their own: bound axes say
// theirs, derived ones follow the axis that they are of.
#pragma once

#include "ir/kernel.h"

namespace barline::ir {

/// The size of an axis derived from one of `of` elements.
constexpr std::int64_t derived_size(const Axis& axis, std::int64_t of) {
  return (of + axis.per - 1) / axis.per * axis.times;
}

/// One size an axis, in order. free_size(axis) gives the size of an axis that is neither bound nor
/// derived.
template <class FreeSize>
std::vector<std::int64_t> axis_sizes(const Kernel& k, FreeSize free_size) {
  std::vector<std::int64_t> sizes(k.axes.size());
  auto resolve = [&](auto&& self, std::size_t i) -> std::int64_t {
    const Axis& a = k.axes[i];
    if (sizes[i] == 0) {
      if (a.of >= 0)
        sizes[i] = derived_size(a, self(self, static_cast<std::size_t>(a.of)));
      else
        sizes[i] = a.bound ? *a.bound : free_size(a);
    }
    return sizes[i];
  };
  for (std::size_t i = 0; i < sizes.size(); ++i) resolve(resolve, i);
  return sizes;
}

}  // namespace barline::ir
