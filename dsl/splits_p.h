// SPDX-License-Identifier: Apache-2.0
// How a schedule shares out the steps of a sum: over warps of a block, or over blocks of a cluster.
#pragma once

#include <string>

#include "ir/kernel.h"
#include "ir/schedule.h"

namespace barline::dsl {

/// "tile 64 x 16 x 16 over 2 x 2 warps"
std::string list_tile(const ir::MatrixTile& t);

/// Warps that share out the steps of the summed axis; 1: each has all of a step.
int warps_along_k(const ir::Schedule& s, const std::string& k);
/// Blocks of a cluster that share out the steps of the summed axis; 1: one block has all of them.
int blocks_along_k(const ir::Schedule& s, const std::string& k);

/// That a sum in parts over a cluster is one that the schedule can say.
void check_cluster(const ir::Schedule& s, const std::string& k, const ir::Kernel& so_far,
                   const ir::Loc& loc);
/// A cluster's blocks are neighbours along x, which is theirs alone.
void lead_with_clusters(ir::Launch& launch, int blocks, const ir::Loc& loc);
/// The layout of a block's share of the cluster's sum: along the unit's columns, or else its rows.
ir::Layout shared_out(const ir::Layout& sums, int rows, int columns, const ir::Schedule& s,
                      const ir::Loc& loc);

}  // namespace barline::dsl
