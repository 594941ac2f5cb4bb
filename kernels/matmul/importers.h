// SPDX-License-Identifier: Apache-2.0
// Importers: the tensors of a GPTQ or AWQ checkpoint as int4 weights. Both store unsigned codes u
// and zero points z with w = (u - z) * scale, one scale and zero point a group of a column; int4
// weights are symmetric, so every z must be 8 and the code is u - 8. Nothing is rounded.
//
//             GPTQ                                       AWQ
//   qweight   s32 [K/8, N], code k at bits 4 (k mod 8)   s32 [K, N/8], nibble i: column order[i]
//   qzeros    s32 [K/group, N/8], nibble i: column i     s32 [K/group, N/8], nibble i: order[i]
//   scales    f16 [K/group, N]                           f16 [K/group, N]
//   g_idx     s32 [K], the group of each k, or absent    -
//
// with order = 0, 2, 4, 6, 1, 3, 5, 7 within each 8 columns.
#pragma once

#include "kernels/matmul/int4.h"

namespace barline::kernels {

/// How GPTQ's qzeros hold a zero point z: z - 1 (`gptq`, what AutoGPTQ writes) or z (`gptq_v2`).
enum class GptqFormat { V1, V2 };

struct GptqTensors {
  ir::Tensor qweight, qzeros, scales;
  ir::Tensor g_idx{};  ///< no elements: absent
  GptqFormat format = GptqFormat::V1;
};

struct AwqTensors {
  ir::Tensor qweight, qzeros, scales;
};

/// Throws std::invalid_argument naming the tensor, the rule and the fix.
Int4Weights import_gptq(const GptqTensors& from);
Int4Weights import_awq(const AwqTensors& from);

}  // namespace barline::kernels
