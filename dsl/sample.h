// SPDX-License-Identifier: Apache-2.0
// A sample of an output's elements: what a reference computes and a comparison looks at where all of
// them would take minutes. Both sides find the same places from the counts alone.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

namespace barline::dsl {

/// One place in each run of `stride` elements of `count`, ascending, at a mixed offset so that no
/// row, column or tile is left out for its alignment. stride 1: every element.
inline std::vector<std::int64_t> sample_places(std::int64_t count, std::int64_t stride) {
  std::vector<std::int64_t> places;
  for (std::int64_t first = 0; first < count; first += stride) {
    auto h = static_cast<std::uint64_t>(first) * 0x9e3779b97f4a7c15u;
    auto offset = static_cast<std::int64_t>((h ^ h >> 32) % static_cast<std::uint64_t>(stride));
    places.push_back(std::min(first + offset, count - 1));
  }
  return places;
}

}  // namespace barline::dsl
