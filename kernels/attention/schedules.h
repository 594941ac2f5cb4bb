// SPDX-License-Identifier: Apache-2.0
// Schedules of attention over many queries: keys and values by rings; a warp takes 16 rows of
// queries, or 32 where registers allow, so that each fragment of a key or value serves two.
//
//   flash*   mma.sync and cp.async
//   unit*    wgmma, tensor copies by a role of their own (sm_90a)
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

/// The same by wgmma: a warpgroup fills by tensor copies, each other one (two or three) takes 64
/// rows of queries against all keys of a step. Keys and values have `slots` slots each.
constexpr ir::Schedule flash_unit(std::string_view name, ir::MatrixTile tile, int slots) {
  auto gated = [](std::string_view of, int slots) {
    return ir::Stream{.of = of,
                      .store = ir::Store::Smem,
                      .by = ir::Agent::Tma,
                      .slots = static_cast<std::uint8_t>(slots),
                      .ahead = static_cast<std::uint8_t>(slots)};
  };
  const int regs = tile.warps_m == 8 ? 240 : 160;  // what the launch gives, less the filler's
  return {.name = name,
          .tile = tile,
          .dot = {.unit = ir::MatrixUnit::Wgmma},
          .roles = {{.name = "fill", .warps = 4, .regs = 24},
                    {.name = "multiply",
                     .warps = tile.warps_m,
                     .regs = static_cast<std::uint16_t>(regs)}},
          .streams = {gated("q", 1), gated("k", slots), gated("v", slots)}};
}

inline constexpr ir::Schedule unit_64 =
    flash_unit("unit192x128_D64", {.m = 192, .n = 128, .warps_m = 12}, 2);
inline constexpr ir::Schedule unit_128 =
    flash_unit("unit128x128_D128", {.m = 128, .n = 128, .warps_m = 8}, 2);
inline constexpr ir::Schedule unit_256 =
    flash_unit("unit128x80_D256", {.m = 128, .n = 80, .warps_m = 8}, 2);

}  // namespace barline::kernels
