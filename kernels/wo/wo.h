// SPDX-License-Identifier: Apache-2.0
// The attention output's projection over NVFP4 weights, in reference order: one chain of rounded
// products and sums a row and slot, the slots in ascending order (kernels/reference/wo.h).
//
// Block (bx, by, b) of a fixed grid (slice_ctas, KV heads, B) sums part bx of head by's k, blocks
// bx >= wo_split do nothing; the block that arrives last gathers the slots of row b, or of a group
// of row b's columns, of which each block begins with another. What the blocks share is workspace
// of the caller, zeroed once: partial, launches, counters, one set a stream and shape of the grid
// (dsl/generations.h).
#pragma once

#include "dsl/kernel.h"
#include "formats/nvfp4.h"

namespace barline::kernels {

struct WoConfig {
  std::int64_t kv_heads = 4;
  formats::ScaleOrder scales = formats::ScaleOrder::Linear;
  /// x is written in this launch, by block (0, by, b) from `attention` for head by; the others of
  /// the head wait for it. Without parts (wo_split 1) nobody waits, and nothing is signalled.
  bool producer_wait = false;
  /// Runs of N that are gathered one by one, each by the block that arrives last at its word.
  std::int64_t gather_groups = 1;
  /// Built for debugging: a wait for x gives up after so many nanoseconds, if not 0.
  std::int64_t wait_timeout_ns = 0;

  /// Words a row of x: of arrivals, then a flag a head and the report of a wait that gave up.
  constexpr std::int64_t counters() const {
    return gather_groups + (producer_wait ? kv_heads + 1 : 0);
  }
};

/// wo_nvfp4. Axes: B, N (a multiple of 4), K (of 512), slice_ctas, wo_split, which a config binds
/// to 1 .. slice_ctas.
dsl::KernelSource wo_nvfp4(const WoConfig& config);

}  // namespace barline::kernels
