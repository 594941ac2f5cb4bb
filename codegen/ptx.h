// SPDX-License-Identifier: Apache-2.0
// From a thread-level kernel to PTX text: lowering to LLVM IR, then LLVM's NVPTX code generator
// used as a printer (no optimisation pipeline). Safe to call from several threads at once; each
// call has an LLVM context of its own.
#pragma once

#include <stdexcept>
#include <string>

#include "ir/kernel.h"
#include "ir/target.h"

namespace barline::codegen {

/// The code generator gave up on a kernel that the checks had let pass: a fault of the compiler,
/// not of the kernel. LLVM's fatal errors become this too; what LLVM held at that point is leaked.
struct CodegenError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct EmitOptions {
  bool lineinfo = false;  ///< `.loc` lines that lead back to the author's source
};

/// The kernel's PTX for a target, in the lowest PTX ISA that kernel and target need. The kernel has
/// passed check and check_lowered: it obeys every rule, and no tile or reduction is left. Throws
/// ir::Error (TargetFeature, NotLowered, WrongClass) where the kernel asks for what the target or
/// this stage does not have, and CodegenError.
std::string emit_ptx(const ir::Kernel& k, const ir::Target& target,
                     const EmitOptions& options = {});

/// The LLVM IR that emit_ptx prints from, as text.
std::string emit_llvm(const ir::Kernel& k, const ir::Target& target,
                      const EmitOptions& options = {});

/// The PTX ISA version times ten that emit_ptx writes: the target's own least version, or more
/// where an op of the kernel needs it.
int ptx_isa(const ir::Kernel& k, const ir::Target& target);

}  // namespace barline::codegen
