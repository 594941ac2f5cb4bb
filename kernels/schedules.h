// SPDX-License-Identifier: Apache-2.0
// Schedules that several families share. A schedule is named for its block and, where kernels.yaml
// binds the row's axis for it, for that size: such a row stays in registers.
#pragma once

#include "dsl/value.h"
#include "ir/schedule.h"

namespace barline::kernels {

/// Rows of any length: loops over chunks where the axis is dynamic.
inline constexpr ir::Schedule row256{.name = "row256", .threads = 256, .vec = 8, .unroll = 2};

/// Rows of 8192 in registers: 32, 16 or 8 elements a thread.
inline constexpr ir::Schedule row256_d8192{
    .name = "row256_d8192", .threads = 256, .vec = 8, .budget = {.ctas_per_sm = 4}};
inline constexpr ir::Schedule row512_d8192{
    .name = "row512_d8192", .threads = 512, .vec = 8, .budget = {.ctas_per_sm = 2}};
inline constexpr ir::Schedule row1024_d8192{
    .name = "row1024_d8192", .threads = 1024, .vec = 8, .budget = {.ctas_per_sm = 2}};

/// Rows of 5120, one access a thread: the shortest way through a single row.
inline constexpr ir::Schedule row640_d5120{.name = "row640_d5120", .threads = 640, .vec = 8};

/// An axis split over blocks.
inline constexpr ir::Schedule flat256{
    .name = "flat256", .threads = 256, .vec = 8, .budget = {.ctas_per_sm = 3}};

/// True if the tile's stripe stays in registers, false if each use reads memory again.
bool in_registers(const dsl::Value& tile);

}  // namespace barline::kernels
