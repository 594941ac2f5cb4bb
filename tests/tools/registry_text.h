// SPDX-License-Identifier: Apache-2.0
// A small register that the tests of its reading, updating and fuzzing start from.
#pragma once

#include <string>

inline const std::string registry_text = R"(# budgets of a small library
version: 1
assembler: ptxas 13.0   # pinned
targets: [sm_80, sm_90a]
kernels:
  qkv_w8a16:            # no element type to choose
    dims: {N: 4096, K: 4096}
    schedules:
      S:      {barriers_per_step: 6, budget: {sm_80: {registers: 48, smem: 2560}, sm_90a: {registers: 50, smem: 2560}}}
      S+1/2P: {barriers_per_step: 3, budget: {sm_80: {registers: 64, smem: 3136}}}
    shapes: {sim: {M: 70, N: 40, K: 80}, decode: {M: 1}}
    compare: {kind: ulp, max: 2, why: "mma accumulation order is not specified"}
  rms_norm:
    types: [f32, bf16]
    args: {eps: 1e-6}
    schedules:
      row256:
        barriers: 1
        budget:
          f32:  {sm_80: {registers: 40, smem: 64}}   # tight
          bf16:
            sm_80: {registers: 32, smem: 64, stack: 8}  # one line a target
      row512:
        targets: [sm_90a]
    shapes: {sim: {rows: 3, d: 300}}
)";
