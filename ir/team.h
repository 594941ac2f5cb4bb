// SPDX-License-Identifier: Apache-2.0
// Teams: the groups of threads that own a value, share a buffer or take part in a sync.
#pragma once

#include <cstdint>

namespace barline::ir {

enum class Team : std::uint8_t { Thread, Warp, Warpgroup, Cta, Cluster, Grid };

inline constexpr int warp_size = 32;

}  // namespace barline::ir
