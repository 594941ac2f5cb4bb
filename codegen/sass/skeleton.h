// SPDX-License-Identifier: Apache-2.0
// The skeleton of a kernel's machine code: how many instructions of each kind, and what stands
// before what. It is counted in layout order over the whole .text section, callees included.
#pragma once

#include <array>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "codegen/cubin/cubin.h"
#include "codegen/sass/calibration.h"

namespace barline::codegen {

/// Field names are those of the JSON rows of build, gate and explain. A figure that needs an
/// instruction which the kernel does not have (no wait, no matrix instruction) is nullopt.
struct SassSkeleton {
  int instructions = 0;  ///< without padding and never-true guards
  int bars = 0;          ///< static count of block barriers
  int global_loads = 0;  ///< Ldg, CpAsync and BulkCopy
  int global_stores = 0;
  int shared_loads = 0;  ///< Lds and Ldsm
  int shared_stores = 0;
  int local_loads = 0;
  int local_stores = 0;
  int mmas = 0;                             ///< Hmma, Imma, Hgmma
  int moves = 0;                            ///< moves between registers, whichever unit does them
  std::optional<int> loads_before_wait;     ///< global loads before the first griddepcontrol.wait
  std::optional<int> loads_before_barrier;  ///< global loads before the first block barrier
  std::optional<int> loads_before_mma;      ///< global loads before the first matrix instruction
  std::optional<double> movs_per_mma;       ///< moves from the first to the last matrix instruction
  std::array<int, sass_op_count> counts = {};  ///< by kind
  std::vector<SassOp> sequence = {};           ///< every instruction but Other, in layout order

  int count(SassOp op) const { return counts[static_cast<int>(op)]; }
};

/// Decodes one kernel of a cubin. Throws CubinError when the cubin is malformed, lacks the kernel,
/// or its code is not a whole number of 16-byte instructions.
SassSkeleton skeleton(std::span<const std::byte> cubin, std::string_view kernel,
                      const Calibration& calibration);

/// The same on code bytes alone.
SassSkeleton skeleton_of_code(std::span<const std::byte> text, const Calibration& calibration);

}  // namespace barline::codegen
