// SPDX-License-Identifier: Apache-2.0
// NVFP4 weights as wo_nvfp4_fast reads them: a lane's loads side by side. A block has T tiles of 8
// rows and all of K, which 16 warps share out in equal runs, each in chunks of 128 k. Slab T c + t
// of a block is chunk c of its rows 8 t .. 8 t + 7; of a slab a warp has 144 words: 4 of codes a
// lane, then 2 bytes of scales a lane. Lane l has row l / 4 of the 8 and 32 k from 32 (l % 4) on.
//
//   u32 [N / 8T, K / 2048 * 2304T]   column: slab * 2304 + warp * 144 + lane * 4 + word,
//                                    scales from slab * 2304 + warp * 144 + 128 on
//
// A word has 8 codes of neighbouring k (kernels/wo/words.h). A scale is UE5M3, its exponent biased
// by 10, so that it becomes bf16 by a shift and a sum; 0 is the scale 0, and all codes under it.
#pragma once

#include "dsl/kernel.h"
#include "formats/nvfp4.h"

namespace barline::kernels {

struct Fast {
  static constexpr std::int64_t tile_rows = 8, warps = 16, lane_k = 32, chunk_k = 4 * lane_k;
  static constexpr std::int64_t warp_words = 144, slab_words = warps * warp_words;
  static constexpr std::int64_t k_multiple = warps * chunk_k;

  std::int64_t tiles = 5;
  constexpr std::int64_t rows() const { return tiles * tile_rows; }
  constexpr std::int64_t chunk_words() const { return tiles * slab_words; }
};
/// 40 and 64 rows a block: 128 blocks of an N of 5120, and of 8192.
inline constexpr Fast fast40{5}, fast64{8};

/// The image. Throws std::invalid_argument unless N is a multiple of a block's rows and K of 2048,
/// and for a scale with a sign or a NaN.
template <formats::ScaleOrder Order>
ir::Tensor pack_fast(const formats::Nvfp4Matrix<Order>& w, Fast blocks = fast40);
/// The weights of an image; codes under a scale of 0 are 0.
formats::Nvfp4Matrix<formats::ScaleOrder::Linear> unpack_fast(const ir::Tensor& image,
                                                              std::int64_t n, std::int64_t k,
                                                              Fast blocks = fast40);

/// wo_nvfp4_fast (wo_nvfp4_fast64): y in fast order (kernels/reference/wo_fast.h), whose bits are
/// those of sm_90's tensor cores; a row's do not depend on B. Axes: B (8 rows a block), N (a
/// multiple of a block's rows), K, which a config binds to a multiple of 2048. The global scale is
/// below 2^121.
dsl::KernelSource wo_nvfp4_fast(Fast blocks = fast40);

}  // namespace barline::kernels
