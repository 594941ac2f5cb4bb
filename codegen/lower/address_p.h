// SPDX-License-Identifier: Apache-2.0
// Addresses and memory-model words of the ops whose operand 0 is a root.
#pragma once

#include <string>

#include "codegen/lower/lowerer_p.h"

namespace barline::codegen {

/// A byte address: a register (64-bit global, 32-bit shared) plus a constant that goes into the
/// instruction, so that neighbouring accesses share one register.
struct Address {
  llvm::Value* base = nullptr;
  std::int64_t offset = 0;
  const char* space = "global";
  /// "[$3+128]" for operand number 3.
  std::string text(int operand, std::int64_t more = 0) const;
};

/// root[index + offset] of a load, store or atomic. `lanes` elements are accessed and aligned.
Address address(Lowerer& l, const ir::Operation& op, int lanes);

/// The same of a pointer, an index and a number of elements after it.
Address address(Lowerer& l, ir::ValueId root, ir::ValueId index, std::int64_t offset, int lanes);
/// Where a slot's copy, a gate or a tensor begins.
Address start_of(Lowerer& l, ir::ValueId root);

/// "cta", "cluster", "gpu" or "sys"; without the attribute the whole GPU, which is never too
/// little.
std::string scope(const Lowerer& l, const ir::Operation& op);

}  // namespace barline::codegen
