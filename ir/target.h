// SPDX-License-Identifier: Apache-2.0
// Targets: the GPUs that kernels are compiled for, and their limits. Rows of targets.def.
#pragma once

#include <span>
#include <string_view>

namespace barline::ir {

struct Target {
  std::string_view name;   ///< what users say and ptxas assembles for: "sm_90a"
  std::string_view ptx;    ///< what the PTX is written for; the same, or a portable older one
  int capability = 0;      ///< 90 for sm_90a
  int ptx_isa = 0;         ///< 80 for PTX 8.0: the least that the target needs
  int smem_per_block = 0;  ///< bytes a block may opt into
  int smem_per_sm = 0;
  int registers_per_sm = 0;
  int threads_per_sm = 0;
  int blocks_per_sm = 0;
};

std::span<const Target> targets();
/// The target of that name, or null.
const Target* find_target(std::string_view name);

}  // namespace barline::ir
