// SPDX-License-Identifier: Apache-2.0
// Lowers a thread-level kernel to an LLVM module that holds one ptx_kernel function. LLVM is used
// as a printer: instructions come out in the order and form in which the kernel has them.
#pragma once

#include <memory>

#include "codegen/ptx.h"

namespace llvm {
class LLVMContext;
class Module;
}  // namespace llvm

namespace barline::codegen {

/// Throws ir::Error where the kernel asks for what target or stage does not have.
std::unique_ptr<llvm::Module> lower(const ir::Kernel& k, const ir::Target& target,
                                    const EmitOptions& options, llvm::LLVMContext& context);

}  // namespace barline::codegen
