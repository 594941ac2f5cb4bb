// SPDX-License-Identifier: Apache-2.0
// What an experiment with wo_nvfp4 reports beside its times: the blocks and the workspace traffic
// of a launch, and y in the orders that are diagnostics. By the sizes of the axes and the tensors'
// names, so that it serves every kernel of wo.h.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "ir/tensor.h"

namespace barline::kernels {

/// Blocks of one row of x.
struct WoBlocks {
  std::int64_t kv_heads = 4, slots = 0;
  std::int64_t grid = 0;    ///< launched
  std::int64_t active = 0;  ///< with a slot to sum
  /// Elected to read the slots, each its run of N: the last to arrive at a word. One block may be
  /// elected at several.
  std::int64_t gather = 1;
  double scratch_bytes = 0;  ///< of all rows: each slot is written once and read once
};
/// Empty for a kernel without the axes B, N, wo_split and slice_ctas. The words stand in the tensor
/// `counters`, in a kernel that makes x before a flag a head and a report.
std::optional<WoBlocks> wo_blocks(const std::map<std::string, std::int64_t>& sizes,
                                  const std::map<std::string, ir::Tensor>& tensors);

struct WoDiagnostics {
  ir::Tensor chained;  ///< f32 [B, N]: a chain a head
  ir::Tensor matmul;   ///< f64 [B, N]
};
/// From the inputs of a kernel of wo.h.
WoDiagnostics wo_diagnostics(const std::map<std::string, ir::Tensor>& tensors,
                             const std::map<std::string, double>& scalars);

}  // namespace barline::kernels
