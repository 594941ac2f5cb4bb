// SPDX-License-Identifier: Apache-2.0
// NVFP4 weights as wo_nvfp4_chains and wo_nvfp4_fused read them (kernels/wo/slabs.h). A block has
// 40 rows and all of K, which 16 slots share out in equal runs; lane l of warp w = 4 g + s has the
// chain of row 8 g + l / 4 of the block and slot 4 s + l % 4. A slab is 32 k of every chain.
//
//   u32 [N / 40, K * 40 * 9 / 64]
#pragma once

#include "dsl/kernel.h"
#include "kernels/wo/slabs.h"

namespace barline::kernels {

struct Chains {
  static constexpr std::int64_t rows = 40, slots = 16, warps = 20;
  static constexpr std::int64_t k_multiple = slots * Slabs::lane_codes;
  static constexpr Slabs slabs(std::int64_t k) { return {warps, k / k_multiple}; }
};

/// The image. Throws std::invalid_argument unless N is a multiple of 40 and K of 512.
template <formats::ScaleOrder Order>
ir::Tensor pack_chains(const formats::Nvfp4Matrix<Order>& w);
/// Weights of an image's values: signs of scales are their codes', codes under 0 are zeros.
formats::Nvfp4Matrix<formats::ScaleOrder::Linear> unpack_chains(const ir::Tensor& image,
                                                                std::int64_t n, std::int64_t k);

/// y in reference order with wo_split 4, all blocks busy and none waiting for another. Axes: B, N
/// (a multiple of 40), K, which a config binds to a multiple of 2048. The global scale is below
/// 2^121.
dsl::KernelSource wo_nvfp4_chains();
/// The same in fused order (kernels/reference/wo.h).
dsl::KernelSource wo_nvfp4_fused();

}  // namespace barline::kernels
