// SPDX-License-Identifier: Apache-2.0
// NVFP4 weights as wo_nvfp4_fast reads them: a lane's loads side by side. A block has all of K,
// which 16 warps share out in equal runs, each in chunks of 128 k, and one or more passes of T
// tiles of 8 rows; slabs are a warp's turns: tile by tile, chunk by chunk, pass by pass. Of a slab
// a lane has 4 words of codes: row lane / 4 of the 8, 32 k from 32 (lane % 4) on, 8 codes of
// neighbouring k a word (kernels/wo/words.h), and two scales.
//
//   u32 [N / rows, K * rows * 9 / 64]   runs of slabs, one behind the other, each:
//       scales   [warp][lane][slab][2] bytes
//       codes    [slab][warp][lane][4] words
//
// A run has 8 slabs, so that a lane's scales of it are 16 bytes; what remains of a warp's slabs is
// runs of 4, 2 and 1. A scale is UE5M3 (words.h); under a scale of 0 all codes are 0.
#pragma once

#include "dsl/kernel.h"
#include "formats/nvfp4.h"

namespace barline::kernels {

struct Fast {
  static constexpr std::int64_t tile_rows = 8, warps = 16, lane_k = 32, chunk_k = 4 * lane_k;
  static constexpr std::int64_t slab_codes = 128 * warps, slab_scales = 16 * warps;  ///< words
  static constexpr std::int64_t slab_words = slab_codes + slab_scales;
  static constexpr std::int64_t k_multiple = warps * chunk_k;

  std::int64_t tiles = 5, passes = 1;
  constexpr std::int64_t rows() const { return passes * tiles * tile_rows; }
  constexpr std::int64_t slabs(std::int64_t k) const { return passes * tiles * (k / k_multiple); }
  constexpr bool operator==(const Fast&) const = default;
};
/// 40 and 64 rows a block: 128 blocks of an N of 5120, and of 8192. Sums of 8 tiles at once would
/// leave too few registers for weights on their way.
inline constexpr Fast fast40{5}, fast64{4, 2};

/// Slabs whose scales stand together.
struct ScaleRun {
  std::int64_t first = 0, slabs = 0;
};
/// That of a slab, among a warp's `slabs`.
ScaleRun run_of(std::int64_t slab, std::int64_t slabs);

/// The image. Throws std::invalid_argument unless N is a multiple of a block's rows and K of 2048,
/// and for a scale with a sign or a NaN.
template <formats::ScaleOrder Order>
ir::Tensor pack_fast(const formats::Nvfp4Matrix<Order>& w, Fast blocks = fast40);
/// The weights of an image; codes under a scale of 0 are 0.
formats::Nvfp4Matrix<formats::ScaleOrder::Linear> unpack_fast(const ir::Tensor& image,
                                                              std::int64_t n, std::int64_t k,
                                                              Fast blocks = fast40);

/// wo_nvfp4_fast (wo_nvfp4_fast64): y in fast order (kernels/reference/wo_fast.h), whose bits are
/// those of sm_90's tensor cores; a row's do not depend on B. Axes: B (16 rows a block, 8 of 64 of
/// N; a config that binds B to no more has code for so many rows), N (a multiple of a block's
/// rows), K, which a config binds to a multiple of 2048. The global scale is below 2^121. How many
/// slabs are on their way is `.ahead` of the schedule's stream of the weights.
dsl::KernelSource wo_nvfp4_fast(Fast blocks = fast40);

}  // namespace barline::kernels
