// SPDX-License-Identifier: Apache-2.0
// LLVM's NVPTX code generator as a function from module to text. Nothing of LLVM's process state
// changes but two things, once: the target is registered, and LLVM's fatal errors (which end the
// process by default) become CodegenError. LLVM is linked hidden, so no other LLVM notices.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "ir/target.h"

namespace llvm {
class LLVMContext;
class Module;
class TargetMachine;
}  // namespace llvm

namespace barline::codegen {

/// A target machine for PTX of this ISA version (times ten). Throws CodegenError on a target that
/// LLVM does not know, instead of falling back to another as LLVM does.
std::unique_ptr<llvm::TargetMachine> make_target_machine(const ir::Target& target, int ptx_isa);

/// Sets triple and data layout, verifies the module and prints it as PTX. Throws CodegenError with
/// all that LLVM complained of.
std::string print_ptx(llvm::Module& module, llvm::TargetMachine& machine);

}  // namespace barline::codegen
