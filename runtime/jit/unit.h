// SPDX-License-Identifier: Apache-2.0
// One unit of compilation: a kernel under a config for a target, its two cache keys, and the way
// from one to the other through the cache. The tool and the runtime both build here.
#pragma once

#include <functional>

#include "codegen/assembler/assembler.h"
#include "dsl/registry.h"
#include "ir/target.h"
#include "runtime/cache/kernel_cache.h"

namespace barline::jit {

struct Unit {
  const dsl::KernelEntry* entry = nullptr;
  ir::Elem elem{};
  dsl::Config config{};
  const ir::Target* target = nullptr;
  bool lineinfo = false;
};

/// The canonical text of a config: schedule fields and bound dims, in order.
std::string config_text(const Unit& unit);

/// Everything that decides the bytes: the IR before the passes (the passes are part of the code
/// generator's id), config, target, assembler and flags.
runtime::KeyRecord content_key(const Unit& unit, const ir::Kernel& kernel,
                               const codegen::Assembler& assembler);

/// The small key, known without IR, LLVM or assembler. `pinned` is the assembler release that the
/// host builds with ("ptxas 13.0"); the kernel library's build id stands in it, so that an edited
/// kernel is never answered with its old code.
runtime::WarmKey warm_key(const Unit& unit, std::string_view pinned);

/// What stands for an assembler in warm keys: `pinned` for ptxas, else its name, so that code of
/// one is never taken for code of the other.
std::string_view warm_name(codegen::AssemblerKind kind, std::string_view pinned);

/// Compiles: passes, checks for the target, PTX, cubin, metadata with launch signature. The kernel
/// is taken before the passes. Throws what they throw.
runtime::Entry build_entry(const Unit& unit, ir::Kernel kernel,
                           const codegen::Assembler& assembler);

/// Gives the assembler where one is needed; throws codegen::MissingAssembler.
using AskAssembler = std::function<const codegen::Assembler&()>;

/// The unit's entry: warm key of `pinned`, then content key, then one build. The assembler is asked
/// only where that warm key does not answer; where it is another than ptxas, its own warm key is.
runtime::Found find_or_build(runtime::KernelCache& cache, const Unit& unit, std::string_view pinned,
                             const AskAssembler& assembler);

}  // namespace barline::jit
