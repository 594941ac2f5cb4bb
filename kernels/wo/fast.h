// SPDX-License-Identifier: Apache-2.0
// NVFP4 weights as wo_nvfp4_fast reads them (kernels/wo/slabs.h). A block has all of K, which 16
// warps share out in equal runs, each in chunks of 128 k, and one or more passes of tiles of 8
// rows; a warp's slabs go tile by tile, chunk by chunk, pass by pass. Of a slab lane l has row l /
// 4 of the tile and 32 k from 32 (l % 4) on.
//
//   u32 [N / rows, K * rows * 9 / 64]
#pragma once

#include "dsl/kernel.h"
#include "kernels/wo/slabs.h"

namespace barline::kernels {

struct Fast {
  static constexpr std::int64_t tile_rows = 8, warps = 16, chunk_k = 4 * Slabs::lane_codes;
  static constexpr std::int64_t k_multiple = warps * chunk_k;

  std::int64_t tiles = 5, passes = 1;
  constexpr std::int64_t rows() const { return passes * tiles * tile_rows; }
  constexpr Slabs slabs(std::int64_t k) const { return {warps, passes * tiles * (k / k_multiple)}; }
  constexpr bool operator==(const Fast&) const = default;
};
/// 40 and 64 rows a block: 128 blocks of an N of 5120, and of 8192. Sums of 8 tiles at once would
/// leave too few registers for weights on their way.
inline constexpr Fast fast40{5}, fast64{4, 2};

/// The image. Throws std::invalid_argument unless N is a multiple of a block's rows and K of 2048,
/// and for a scale with a sign or a NaN.
template <formats::ScaleOrder Order>
ir::Tensor pack_fast(const formats::Nvfp4Matrix<Order>& w, Fast blocks = fast40);
/// The weights of an image; codes under a scale of 0 are zeros.
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
