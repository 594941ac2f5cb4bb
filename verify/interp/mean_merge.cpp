// SPDX-License-Identifier: Apache-2.0
// Parts of a sum that the members of a team hold, added in their order.
#include <fmt/format.h>
#include <map>
#include <utility>

#include "ir/fragment_use.h"
#include "verify/interp/machine.h"
#include "verify/interp/meanings.h"
#include "verify/interp/merge_plan.h"

namespace barline::verify::sim {
namespace {

using Place = std::pair<std::int64_t, std::int64_t>;

/// Where an element along the two axes of a tile stands.
Place place(const ir::Layout& l, const std::vector<int>& axes, std::uint32_t reg,
            std::uint32_t thread) {
  const int r = static_cast<int>(reg), t = static_cast<int>(thread);
  return {ir::position(l, axes[0], r, t), axes.size() > 1 ? ir::position(l, axes[1], r, t) : 0};
}

void run_merge(Warp& w, const Inst&) {
  require_whole_warp(w);
  w.state = WarpState::AtReduction;
}

}  // namespace

MergePlan merge_plan(const ir::Layout& from, const ir::Layout& to, std::int64_t parts,
                     std::int32_t warps) {
  const auto all = static_cast<std::uint32_t>(warps);
  MergePlan p{.parts = parts,
              .stride = all / static_cast<std::uint32_t>(parts),
              .registers = static_cast<std::uint32_t>(ir::registers(to)),
              .sources = {},
              .from = {},
              .to = {}};
  const std::vector<int> axes = ir::tile_axes(from);
  std::map<Place, MergePlan::Source> part0;  // of the threads that hold one element the first
  for (std::uint32_t w = 0; w < p.stride; ++w)
    for (std::uint32_t r = 0; r < static_cast<std::uint32_t>(ir::registers(from)); ++r)
      for (std::uint32_t l = 0; l < lanes; ++l)
        part0.try_emplace(place(from, axes, r, w * lanes + l), MergePlan::Source{w, r, l});
  for (std::uint32_t w = 0; w < all; ++w)
    for (std::uint32_t r = 0; r < p.registers; ++r)
      for (std::uint32_t l = 0; l < lanes; ++l)
        p.sources.push_back(part0.at(place(to, axes, r, w * lanes + l)));
  return p;
}

void complete_merge(Block& b, const MergePlan& p) {
  std::size_t i = 0;
  for (Warp& w : b.warps)
    for (std::uint32_t r = 0; r < p.registers; ++r)
      for (std::uint32_t l = 0; l < lanes; ++l) {
        const MergePlan::Source& s = p.sources[i++];
        float sum = 0;
        for (std::uint32_t part = 0; part < p.parts; ++part) {
          const float one = b.warps[s.warp + part * p.stride].at<float>(p.from, s.reg)[s.lane];
          sum = part == 0 ? one : sum + one;
        }
        w.at<float>(p.to, r)[l] = sum;
      }
}

namespace {

/// Brings what the warp holds; when the same warp of every block has, adds up the block's share.
void run_cluster_merge(Warp& w, const Inst& i) {
  require_whole_warp(w);
  const ClusterMerge& p = *w.worker->program.exchanges[i.info].cluster_merge;
  Cluster& c = *w.block->cluster;
  auto& parts = c.parts[{w.index, w.cluster_merges}];
  parts.resize(c.blocks.size());
  std::vector<float>& own = parts[w.block->rank];
  const std::size_t held = std::size_t{p.registers} * lanes;
  if (own.empty()) {
    for (std::uint32_t r = 0; r < p.registers; ++r)
      own.insert(own.end(), w.at<float>(p.from, r), w.at<float>(p.from, r) + lanes);
    wake_cluster(c);
  }
  for (const std::vector<float>& part : parts)
    if (part.size() != held) {
      --w.pc;
      w.state = WarpState::AtCluster;
      return;
    }
  const std::vector<std::uint32_t>& share = p.shares[w.block->rank];
  for (std::uint32_t r = 0; r < share.size(); ++r)
    for (std::uint32_t l = 0; l < lanes; ++l) {
      float sum = parts[0][share[r] * lanes + l];
      for (std::size_t part = 1; part < parts.size(); ++part)
        sum += parts[part][share[r] * lanes + l];
      w.at<float>(p.to, r)[l] = sum;
    }
  ++w.cluster_merges;
}

void mean_cluster_merge(Compiler& c, const Operation& op, const ir::Layout& from,
                        const ir::Layout& to) {
  ClusterMerge p{.registers = static_cast<std::uint32_t>(ir::registers(from)),
                 .shares = cluster_shares(from, to, op.attr(ir::Key::Parts, 1)),
                 .from = c.in(op.in[0]),
                 .to = c.define(op.out[0])};
  const std::uint32_t weight = p.registers;
  Exchange x;
  x.cluster_merge = std::make_shared<const ClusterMerge>(std::move(p));
  c.emit({.run = &run_cluster_merge, .weight = weight, .info = c.add(x)});
}

}  // namespace

std::vector<std::vector<std::uint32_t>> cluster_shares(const ir::Layout& from, const ir::Layout& to,
                                                       std::int64_t parts) {
  const std::vector<int> axes = ir::tile_axes(from);
  Place step{0, 0};  // from a block's first element to the next block's
  for (std::size_t a = 0; a < axes.size(); ++a) {
    const std::int64_t of_share = ir::extent_along(to, axes[a]);
    if (of_share < ir::extent_along(from, axes[a])) (a ? step.second : step.first) = of_share;
  }
  std::map<Place, std::uint32_t> at;
  for (std::uint32_t r = 0; r < static_cast<std::uint32_t>(ir::registers(from)); ++r)
    at[place(from, axes, r, 0)] = r;
  std::vector<std::vector<std::uint32_t>> shares(static_cast<std::size_t>(parts));
  for (std::int64_t rank = 0; rank < parts; ++rank)
    for (std::uint32_t r = 0; r < static_cast<std::uint32_t>(ir::registers(to)); ++r) {
      Place p = place(to, axes, r, 0);
      shares[static_cast<std::size_t>(rank)].push_back(
          at.at({p.first + rank * step.first, p.second + rank * step.second}));
    }
  return shares;
}

void mean(Tag<Op::Merge>, Compiler& c, const Operation& op) {
  auto layout = [&](ir::ValueId v) -> const ir::Layout& {
    return c.kernel().layouts[c.type(v).layout];
  };
  if (op.attr_as<ir::Team>(ir::Key::Team) == ir::Team::Cluster)
    return mean_cluster_merge(c, op, layout(op.in[0]), layout(op.out[0]));
  MergePlan p = merge_plan(layout(op.in[0]), layout(op.out[0]), op.attr(ir::Key::Parts, 1),
                           c.geometry().warps());
  p.from = c.in(op.in[0]);
  p.to = c.define(op.out[0]);
  const std::uint32_t weight = p.registers;
  Exchange x;
  x.merge = std::make_shared<const MergePlan>(std::move(p));
  c.emit({.run = &run_merge, .weight = weight, .info = c.add(x)});
}

}  // namespace barline::verify::sim
