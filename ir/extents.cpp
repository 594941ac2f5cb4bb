// SPDX-License-Identifier: Apache-2.0
#include "ir/extents.h"

#include <algorithm>

namespace barline::ir {
namespace {

std::int64_t ceil_div(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

}  // namespace

void derive_sizes(const Kernel& k, std::span<std::int64_t> sizes) {
  auto size = [&](auto& self, std::size_t i) -> std::int64_t {
    const Axis& a = k.axes[i];
    return a.of < 0 ? sizes[i] : derived_size(a, self(self, static_cast<std::size_t>(a.of)));
  };
  for (std::size_t i = 0; i < k.axes.size(); ++i) sizes[i] = size(size, i);
}

std::int64_t blocks(const GridDim& dim, std::span<const std::int64_t> sizes) {
  if (dim.axis < 0) return dim.count;
  std::int64_t n = ceil_div(sizes[dim.axis], dim.per_block);
  for (int axis : dim.also) {
    std::int64_t more = ceil_div(sizes[axis], dim.per_block);
    n = dim.abreast ? std::max(n, more) : n + more;
  }
  return n;
}

}  // namespace barline::ir
