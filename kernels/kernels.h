// SPDX-License-Identifier: Apache-2.0
// The kernel library: every kernel registers itself with its element types, schedules, reference
// and the bytes that it must move. Shapes, tolerances and budgets stand in kernels.yaml.
#pragma once

#include "dsl/registry.h"

namespace barline::kernels {

void register_all(dsl::Registry& registry);

// ---- norm: one block a row
void add_rms_norm(dsl::Registry& registry);
void add_rms_norm_residual(dsl::Registry& registry);
void add_rms_norm_quant_q8(dsl::Registry& registry);
void add_layer_norm(dsl::Registry& registry);
void add_softmax(dsl::Registry& registry);

// ---- elementwise: an axis split over the grid
void add_vector_add(dsl::Registry& registry);
void add_silu_mul(dsl::Registry& registry);
void add_gelu(dsl::Registry& registry);  ///< gelu_erf and gelu_tanh
void add_dequant_s8(dsl::Registry& registry);

// ---- matmul: on the tensor cores
void add_matmul(dsl::Registry& registry);
void add_quantised(dsl::Registry& registry);  ///< qkv_w4a16, qkv_w8a16, matmul_w4a16, ..
void add_repack(dsl::Registry& registry);     ///< repack_w4, repack_w8

// ---- wo: the attention output's projection, split over blocks
void add_wo_nvfp4(dsl::Registry& registry);  ///< and wo_nvfp4_swizzled, wo_nvfp4_producer
void add_wo_nvfp4_chains(dsl::Registry& registry);  ///< and wo_nvfp4_fused
void add_wo_nvfp4_fast(dsl::Registry& registry);  ///< and wo_nvfp4_fast64

// ---- attention
void add_attention_prefill(dsl::Registry& registry);  ///< and attention_prefill_causal

// ---- index
void add_row_argmax(dsl::Registry& registry);
void add_transpose(dsl::Registry& registry);

}  // namespace barline::kernels
