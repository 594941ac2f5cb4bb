// SPDX-License-Identifier: Apache-2.0
#include "dsl/splits_p.h"

#include <fmt/format.h>

#include "ir/cluster_share.h"
#include "ir/diagnostic.h"

namespace barline::dsl {

using ir::Diag;
using ir::Op;

std::string list_tile(const ir::MatrixTile& t) {
  return fmt::format("tile {} x {} x {} over {} x {} warps", t.m, t.n, t.k, t.warps_m, t.warps_n);
}

int warps_along_k(const ir::Schedule& s, const std::string& k) {
  int parts = 1;
  for (const ir::Split& split : s.splits)
    if (split.over == ir::Team::Warp && split.axis == k) parts *= split.parts;
  return parts;
}

int blocks_along_k(const ir::Schedule& s, const std::string& k) {
  for (const ir::Split& split : s.splits)
    if (split.over == ir::Team::Cluster && split.axis == k) return split.parts;
  return 1;
}

void check_cluster(const ir::Schedule& s, const std::string& k, const ir::Kernel& so_far,
                   const ir::Loc& loc) {
  const int blocks = blocks_along_k(s, k);
  if (blocks == 1) return;
  bool merged = false;
  ir::walk(so_far.body, [&](const ir::Operation& op) { merged = merged || op.is(Op::Merge); });
  auto refuse = [&](std::string_view what, std::string fix) {
    ir::fail(Diag::BadSchedule, loc,
             fmt::format("schedule '{}' splits '{}' over {} blocks of a cluster{}", s.name, k,
                         blocks, what),
             std::move(fix));
  };
  if (merged) refuse(" in a kernel of several sums", "split kernels of one sum");
  if (s.walk == ir::Walk::Persistent)
    refuse(" that walk the tiles", "leave .walk out: one tile a cluster");
  if (warps_along_k(s, k) > 1) refuse(" and over their warps", "split over one of them");
  for (const ir::Split& split : s.splits)
    if (split.over == ir::Team::Cluster && split.merge != ir::Merge::Dsmem)
      refuse(", and does not merge there", "set .merge = Merge::Dsmem");
}

void lead_with_clusters(ir::Launch& launch, int blocks, const ir::Loc& loc) {
  if (launch.grid[0].axis >= 0)
    ir::fail(Diag::BadSchedule, loc, "a sum over clusters after another place in the grid",
             "leave .splits out, or take the sum's tile first");
  launch.cluster = blocks;
  launch.grid[0].count = blocks;
}

ir::Layout shared_out(const ir::Layout& sums, int rows, int columns, const ir::Schedule& s,
                      const ir::Loc& loc) {
  int blocks = 1;
  for (const ir::Split& split : s.splits)
    if (split.over == ir::Team::Cluster) blocks = split.parts;
  for (int axis : {columns, rows})
    if (auto share = ir::share_layout(sums.name, sums, axis, blocks)) return *share;
  ir::fail(
      Diag::BadSchedule, loc,
      fmt::format("schedule '{}': {} shared out over {} blocks", s.name, list_tile(s.tile), blocks),
      "let the blocks divide what a warp has of the tile, in steps of 8 columns or 16 rows");
}

}  // namespace barline::dsl
