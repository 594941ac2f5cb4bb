// SPDX-License-Identifier: Apache-2.0
// The attention output's projection over NVFP4 weights, in reference order: one chain of rounded
// products and sums a row and slot, the slots in ascending order (kernels/reference/wo.h).
//
// Block (bx, by, b) of a fixed grid (slice_ctas, KV heads, B) sums part bx of head by's k, blocks
// bx >= wo_split do nothing; the block that arrives last gathers the slots of row b. What the
// blocks share is workspace of the caller, zeroed once: partial, launches, counters,
// one set a stream and shape of the grid (dsl/generations.h).
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
};

/// wo_nvfp4. Axes: B, N (a multiple of 4), K (of 512), slice_ctas, wo_split, which a config binds
/// to 1 .. slice_ctas.
dsl::KernelSource wo_nvfp4(const WoConfig& config);

}  // namespace barline::kernels
