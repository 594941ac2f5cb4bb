// SPDX-License-Identifier: Apache-2.0
// The output projection in fast order: tensor cores multiply bf16 activations by decoded weights
// and sum in their own arithmetic (ir/tensor_core.h), so the bits are those of sm_90.
//
// 16 warps share out K in equal runs, each in chunks of 128. In a chunk lane t of four has the 32 k
// from 32 t on, in words of 8. Word j of the four lanes makes two sums of 16 products each, one on
// accumulator A (elements 0, 1, 4, 5 of each word) and one on B (2, 3, 6, 7); chunks and words
// follow one another in the order of k. A warp's part is A + B. Parts are added in fours from +0,
// upwards, the fours as (s0 + s1) + (s2 + s3).
//
// Weights are code * block scale * 2^-7, exact in bf16; the sum is multiplied by rn(global scale *
// 128) at the end. Block scales have no sign and are no NaN.
#pragma once

#include "formats/nvfp4.h"

namespace barline::kernels::reference {

/// K falls to 16 warps in whole chunks of 128.
inline constexpr std::int64_t wo_fast_multiple = 16 * 128;

/// The scale of a row's group. Throws std::invalid_argument unless it is UE4M3: 0 .. 448.
template <formats::ScaleOrder Order>
ir::e4m3_t wo_fast_scale(const formats::Nvfp4Matrix<Order>& w, std::int64_t row,
                         std::int64_t group);

/// y, f32 [B, N]. x: bf16 [B, K]. Throws std::invalid_argument unless x fits w, K is a multiple of
/// wo_fast_multiple and every scale is UE4M3.
template <formats::ScaleOrder Order>
ir::Tensor wo_fast(const ir::Tensor& x, const formats::Nvfp4Matrix<Order>& w);

}  // namespace barline::kernels::reference
