// SPDX-License-Identifier: Apache-2.0
#include "kernels/kernels.h"

namespace barline::kernels {

void register_all(dsl::Registry& registry) {
  registry.from_library(reinterpret_cast<const void*>(&register_all));
  add_rms_norm(registry);
  add_rms_norm_residual(registry);
  add_rms_norm_quant_q8(registry);
  add_layer_norm(registry);
  add_softmax(registry);
  add_vector_add(registry);
  add_silu_mul(registry);
  add_gelu(registry);
  add_dequant_s8(registry);
  add_matmul(registry);
  add_quantised(registry);
  add_repack(registry);
  add_wo_nvfp4(registry);
  add_wo_nvfp4_chains(registry);
  add_wo_nvfp4_fast(registry);
  add_attention_prefill(registry);
  add_row_argmax(registry);
  add_transpose(registry);
}

}  // namespace barline::kernels
