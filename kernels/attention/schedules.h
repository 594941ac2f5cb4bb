// SPDX-License-Identifier: Apache-2.0
// Schedules of attention over many queries: keys and values by rings; a warp takes 16 rows of
// queries, or 32 where registers allow, so that each fragment of a key or value serves two.
#pragma once

#include "ir/schedule.h"

namespace barline::kernels {

/// Queries once, into registers (`hoist`) or read from their slot in each step; keys and values
/// through `slots` copies, filled all but one ahead, under a guard where registers are short.
constexpr ir::Schedule flash(std::string_view name, ir::MatrixTile tile, int slots, bool hoist,
                             int ctas, bool guard = false) {
  auto ring = [&](std::string_view of) {
    return ir::Stream{.of = of,
                      .store = ir::Store::Smem,
                      .by = ir::Agent::CpAsync,
                      .slots = static_cast<std::uint8_t>(slots),
                      .ahead = static_cast<std::uint8_t>(slots - 1),
                      .guard = guard};
  };
  return {
      .name = name,
      .tile = tile,
      .streams = {{.of = "q", .store = ir::Store::Smem, .by = ir::Agent::CpAsync, .hoist = hoist},
                  ring("k"),
                  ring("v")},
      .budget = {.ctas_per_sm = static_cast<std::uint8_t>(ctas)}};
}

inline constexpr ir::Schedule flash_64 =
    flash("flash128x64_D64", {.m = 128, .n = 64, .warps_m = 4}, 2, false, 2);
inline constexpr ir::Schedule flash_128 =
    flash("flash128x32_D128", {.m = 128, .n = 32, .warps_m = 4}, 2, false, 2);
inline constexpr ir::Schedule flash_256 =
    flash("flash64x32_D256", {.m = 64, .n = 32, .warps_m = 4}, 2, false, 1, true);

}  // namespace barline::kernels
