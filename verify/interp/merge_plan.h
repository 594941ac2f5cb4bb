// SPDX-License-Identifier: Apache-2.0
// Merging the parts of a sum that a block's warps hold: for each element of the result, where part
// 0 of it stands. The other parts stand in the same registers, so many warps on.
#pragma once

#include <cstdint>
#include <vector>

#include "ir/layout.h"
#include "verify/interp/program.h"

namespace barline::verify::sim {

struct MergePlan {
  struct Source {
    std::uint32_t warp = 0, reg = 0, lane = 0;
  };
  std::int64_t parts = 1;
  std::uint32_t stride = 1;     ///< warps from a part to the next
  std::uint32_t registers = 0;  ///< of the result
  std::vector<Source> sources;  ///< (warp * registers + register) * 32 + lane
  Operand from, to;
};

/// The same over a cluster's blocks, each of which gets a share of the tile.
struct ClusterMerge {
  std::uint32_t registers = 0;                     ///< of a part
  std::vector<std::vector<std::uint32_t>> shares;  ///< of each rank: a part's registers, in order
  Operand from, to;
};

/// The registers of `from` that a block of each rank has in `to`.
std::vector<std::vector<std::uint32_t>> cluster_shares(const ir::Layout& from, const ir::Layout& to,
                                                       std::int64_t parts);

/// How `to` takes what `from` holds in parts, over `warps` warps.
MergePlan merge_plan(const ir::Layout& from, const ir::Layout& to, std::int64_t parts,
                     std::int32_t warps);
/// Adds the parts of every warp's result, part 0 first.
void complete_merge(Block& b, const MergePlan& p);

}  // namespace barline::verify::sim
