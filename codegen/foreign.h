// SPDX-License-Identifier: Apache-2.0
// Resources of kernels that other compilers made, from their PTX or their cubins.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "codegen/assembler/ptxas.h"
#include "codegen/cubin/cubin.h"

namespace barline::codegen {

/// The file does not hold the kernel that was named, or holds none at all.
struct NoSuchKernel : CubinError {
  using CubinError::CubinError;
};
/// The file holds several kernels, and none was named.
struct UnnamedKernel : CubinError {
  using CubinError::CubinError;
};

struct ForeignKernel {
  std::string entry;
  int registers = 0;
  int stack = 0;             ///< bytes, along the deepest call chain where the file says
  int smem_static = 0;       ///< bytes; what a launch adds stands in no file
  int barriers = 0;          ///< named barriers that the kernel takes
  int required_threads = 0;  ///< of a block, as .reqntid demands; 0: it does not stand there
  int max_threads = 0;       ///< of a block, as .maxntid allows; 0: it does not stand there
  std::optional<int> spill_stores, spill_loads;  ///< bytes; a cubin does not say
  std::vector<std::string> notes;                ///< codes of performance-loss notes: "C7510"
  std::vector<std::string> conflicts;            ///< figures on which log and cubin disagree
  double ms = 0;                                 ///< of the assembler
};

/// Assembles for `target` as the owner would, contraction allowed. An empty `entry` takes the only
/// kernel. Throws AssembleError, MissingRecord, CubinError, NoSuchKernel and
/// UnnamedKernel.
ForeignKernel measure_ptx(std::string_view ptx, std::string_view entry, const std::string& target,
                          const Ptxas& ptxas);

/// Reads the cubin alone. It must be for `target`'s SM. Throws CubinError, NoSuchKernel and
/// UnnamedKernel.
ForeignKernel measure_cubin(std::span<const std::byte> cubin, std::string_view entry,
                            std::string_view target);

}  // namespace barline::codegen
