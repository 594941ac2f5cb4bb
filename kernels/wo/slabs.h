// SPDX-License-Identifier: Apache-2.0
// A block's NVFP4 weights as its warps read them, with a lane's loads side by side. A slab is a
// warp's turn: of it a lane has 32 codes under two scales, 4 words of codes (kernels/wo/words.h)
// and 2 bytes. Slabs stand in runs, one behind the other, each:
//
//   scales   [warp][lane][slab of the run][2] bytes
//   codes    [slab of the run][warp][lane][4] words
//
// A run has 8 slabs, so that a lane's scales of it are 16 bytes; what remains of a warp's slabs is
// runs of 4, 2 and 1. Nothing is padding: 9/64 words a weight.
#pragma once

#include <functional>

#include "formats/nvfp4.h"

namespace barline::kernels {

struct Slabs {
  static constexpr std::int64_t lane_codes = 32, lane_words = 4, warp_codes = 32 * lane_words;
  static constexpr std::int64_t warp_scales = 16;  ///< words

  std::int64_t warps = 0, count = 0;  ///< count: slabs of a warp

  struct Run {
    std::int64_t first = 0, slabs = 0;
    bool operator==(const Run&) const = default;
  };
  Run run_of(std::int64_t slab) const;

  constexpr std::int64_t words() const { return count * warps * (warp_codes + warp_scales); }
  /// Where a slab's codes of warp 0, lane 0 begin, and where a run's scales do.
  std::int64_t codes_at(std::int64_t slab) const;
  constexpr std::int64_t scales_at(const Run& run) const {
    return run.first * warps * (warp_codes + warp_scales);
  }
};

/// One of a block's weights: a lane's code.
struct SlabPlace {
  std::int64_t slab = 0, warp = 0, lane = 0, code = 0;
};
/// Where the weight (row of its block, k) stands.
using PlaceOf = std::function<SlabPlace(std::int64_t row, std::int64_t k)>;

/// u32 [N / rows, slabs.words()]: the blocks' weights, a block `rows` rows. A negative scale is
/// its codes with the other sign; a scale of 0 leaves of its codes the sign.
template <formats::ScaleOrder Order>
ir::Tensor pack_slabs(const formats::Nvfp4Matrix<Order>& w, std::int64_t rows, const Slabs& slabs,
                      const PlaceOf& place_of);
/// Weights [n, k] of the same values.
formats::Nvfp4Matrix<formats::ScaleOrder::Linear> unpack_slabs(const ir::Tensor& image,
                                                               std::int64_t n, std::int64_t k,
                                                               std::int64_t rows,
                                                               const Slabs& slabs,
                                                               const PlaceOf& place_of);

}  // namespace barline::kernels
