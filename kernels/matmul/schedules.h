// SPDX-License-Identifier: Apache-2.0
// Schedules of the tensor-core kernels, from the plainest to the deepest. One algorithm text takes
// any of them; what differs is the block's tile, how operands come, and where segments go.
//
//   s          one x slot, one w slot, filled right before their use: six barriers a step of three
//              segments. The tile of 64 x 16 x 16 is the field's reference for this cadence.
//   sp         S + 1/2P: x's fragments stay in registers over the step, w has two slots and is
//              filled one use ahead: three barriers a step.
//   unit*      tensor copies by a role of their own, wgmma, blocks that walk the tiles (sm_90a)
//   cluster*   the same on half of K, two blocks of a cluster a tile: some tokens (sm_90a)
//   stream*    a few tokens: warps share out K and stream weights from memory to their registers;
//              with _K4096 K is bound, and all steps are written out
//   next*      the same; blocks start, and ask for weights, while the grid before ends (sm_90a)
//   ring*      cp.async rings filled `slots - 1` steps ahead: one barrier a step.
#pragma once

#include "ir/schedule.h"

namespace barline::kernels {

using ir::Agent;
using ir::Segments;
using ir::Store;
using ir::Stream;

inline constexpr ir::MatrixTile tile_64x16{.m = 64, .n = 16, .k = 16, .warps_m = 2, .warps_n = 2};

/// Design S under a cap of `regs` registers, which sets how many blocks share an SM.
constexpr ir::Schedule design_s(std::string_view name, int regs) {
  return {.name = name,
          .tile = tile_64x16,
          .segments = Segments::Inner,
          .streams = {{.of = "x", .store = Store::Smem}, {.of = "w", .store = Store::Smem}},
          .budget = {.regs = static_cast<std::uint16_t>(regs)}};
}

inline constexpr Stream sp_x{
    .of = "x", .store = Store::Smem, .slots = 1, .ahead = 1, .hoist = true};
inline constexpr Stream sp_w{.of = "w", .store = Store::Smem, .slots = 2, .ahead = 1};

inline constexpr ir::Schedule design_sp{
    .name = "sp", .tile = tile_64x16, .segments = Segments::Inner, .streams = {sp_x, sp_w}};
/// With scales in registers: a step's are loaded together at its start.
inline constexpr ir::Schedule design_sp_scales{
    .name = "sp",
    .tile = tile_64x16,
    .segments = Segments::Inner,
    .streams = {sp_x, sp_w, {.of = "w_scale", .store = Store::Reg, .hoist = true}},
    .budget = {.regs = 64}};

/// A stream of 16-bit elements by cp.async through `slots` copies, filled all but one ahead; its
/// rows are a multiple of 16 bytes.
constexpr Stream ring_of(std::string_view of, int slots, bool packed = false, bool guard = false) {
  return {.of = of,
          .store = Store::Smem,
          .by = Agent::CpAsync,
          .slots = static_cast<std::uint8_t>(slots),
          .ahead = static_cast<std::uint8_t>(slots - 1),
          .guard = guard,
          .packed = packed,
          .multiple = 8};
}

/// Each thread's own elements in its registers, loaded `ahead` steps before their use.
constexpr Stream registers_of(std::string_view of, int ahead, bool packed = false) {
  return {.of = of,
          .store = Store::Reg,
          .slots = static_cast<std::uint8_t>(ahead),
          .ahead = static_cast<std::uint8_t>(ahead),
          .packed = packed,
          .multiple = 8};
}

/// The same by tensor copies (TMA), which a role of its own issues as far ahead as slots are free.
constexpr Stream gated(std::string_view of, int slots, bool packed = false) {
  return {.of = of,
          .store = Store::Smem,
          .by = Agent::Tma,
          .slots = static_cast<std::uint8_t>(slots),
          .ahead = static_cast<std::uint8_t>(slots),
          .packed = packed,
          .multiple = 8};
}

/// The same of bytes.
constexpr Stream gated_bytes(std::string_view of, int slots) {
  Stream s = gated(of, slots);
  s.multiple = 16;
  return s;
}

/// A warpgroup that fills and two that multiply, on blocks that stay and take tile after tile.
constexpr ir::Schedule two_warpgroups(std::string_view name, ir::MatrixTile tile,
                                      ir::List<Stream, 4> streams, std::string_view a = {}) {
  return {.name = name,
          .tile = tile,
          .dot = {.unit = ir::MatrixUnit::Wgmma, .a = a},
          .walk = ir::Walk::Persistent,
          .roles = {{.name = "fill", .warps = 4, .regs = 40},
                    {.name = "multiply", .warps = 8, .regs = 232}},
          .streams = streams};
}

}  // namespace barline::kernels
