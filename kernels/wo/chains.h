// SPDX-License-Identifier: Apache-2.0
// NVFP4 weights as wo_nvfp4_chains reads them: a lane's loads side by side. A block has 40 rows and
// all of K, which 16 slots share out in equal runs; lane l of warp w = 4 g + s has the chain of row
// 8 g + l / 4 of the block and slot 4 s + l % 4. A slab is 32 k of every chain; of a slab a warp
// has 144 words: 4 of codes a lane, then 2 bytes of scales a lane.
//
//   u32 [N / 40, K / 512 * 2880]   column: slab * 2880 + warp * 144 + lane * 4 + word,
//                                  scales from slab * 2880 + warp * 144 + 128 on
// A word has 8 codes of neighbouring k (kernels/wo/words.h).
#pragma once

#include "dsl/kernel.h"
#include "formats/nvfp4.h"

namespace barline::kernels {

struct Chains {
  static constexpr std::int64_t rows = 40, slots = 16, warps = 20, slab_k = 32;
  static constexpr std::int64_t warp_words = 144, slab_words = warps * warp_words;
  static constexpr std::int64_t k_multiple = slots * slab_k;
};

/// The image. Throws std::invalid_argument unless N is a multiple of 40 and K of 512.
template <formats::ScaleOrder Order>
ir::Tensor pack_chains(const formats::Nvfp4Matrix<Order>& w);
/// The weights of an image.
formats::Nvfp4Matrix<formats::ScaleOrder::Linear> unpack_chains(const ir::Tensor& image,
                                                                std::int64_t n, std::int64_t k);

/// wo_nvfp4_chains: y in reference order with wo_split 4, all blocks busy and none waiting for
/// another. Axes: B, N (a multiple of 40), K, which a config binds to a multiple of 2048. The
/// global scale is below 2^121.
dsl::KernelSource wo_nvfp4_chains();

}  // namespace barline::kernels
