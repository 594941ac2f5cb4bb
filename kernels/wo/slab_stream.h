// SPDX-License-Identifier: Apache-2.0
// A lane's weights on their way from an image of slabs (kernels/wo/slabs.h): asked for in order,
// some slabs ahead of their use.
#pragma once

#include "dsl/dsl.h"
#include "kernels/wo/slabs.h"

namespace barline::kernels {

class SlabStream {
 public:
  /// The weights `w`, a row of which is a block's. How many slabs are on their way at a time is
  /// `.ahead` of the schedule's stream of w; by default four.
  SlabStream(dsl::Thread& t, const dsl::In& w, const Slabs& slabs, const dsl::Value& block);

  /// Asks for the first slabs.
  void start();
  /// Asks for the slab that is `ahead` behind this one, before this one is used.
  void advance(int slab);

  /// Eight codes of a slab, and the scale * 2^119 of half of them as two bf16.
  dsl::Value codes(int slab, int word);
  dsl::Value scale(int slab, int group);

 private:
  int ahead() const;
  void load();
  dsl::Value load(const dsl::Value& at, std::int64_t distance, int lanes, const ir::Loc& loc);
  dsl::Value element(const dsl::Value& v, int i);

  dsl::Thread& t_;
  const dsl::In& w_;
  Slabs slabs_;
  dsl::Value block_, lane_;         ///< lane: of the block
  std::vector<dsl::Value> codes_;   ///< by slab
  std::vector<dsl::Value> scales_;  ///< by slab: its run's
};

}  // namespace barline::kernels
