// SPDX-License-Identifier: Apache-2.0
// What the compiling subcommands share: the register joined with the kernels that exist (plugins
// included), the assembler and the cache, each made when it is first asked for.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "codegen/assembler/ptxas.h"
#include "dsl/registry.h"
#include "runtime/cache/kernel_cache.h"
#include "tools/context.h"
#include "tools/registry_source.h"
#include "tools/selection.h"

namespace barline::tools {

class Session {
 public:
  /// Loads plugins and the register. Throws UsageError and what load_registry throws.
  explicit Session(const Context& context);

  const Context& context() const { return context_; }
  const RegistrySource& source() const { return source_; }
  const verify::RegistryFile& registry() const { return source_.file; }
  const dsl::Registry& library() const { return library_; }

  /// The jobs of `names` (of all kernels when empty) on the targets of --arch (all when empty).
  std::vector<Job> jobs(const std::vector<std::string>& names, const std::string& arch) const;
  /// The kernel's code behind a job.
  const dsl::KernelEntry& entry(const Job& job) const;
  ir::Elem elem(const Job& job) const;
  const ir::Schedule& schedule(const Job& job) const;
  /// The config with the job's bound dims, and `dims` over them.
  dsl::Config config(const Job& job, const verify::Dims& dims = {}) const;

  /// What compiles: as --assembler says, or the first of the ladder. Throws MissingAssembler.
  const codegen::Assembler& assembler();
  /// What budgets are pinned to, whatever --assembler says. Throws MissingPtxas.
  const codegen::Ptxas& ptxas();
  runtime::KernelCache& cache();

 private:
  void load(const std::string& plugin);

  const Context& context_;
  dsl::Registry library_;
  RegistrySource source_;
  std::optional<codegen::Ptxas> ptxas_;
  std::unique_ptr<const codegen::Assembler> assembler_;
  std::unique_ptr<runtime::KernelCache> cache_;
};

}  // namespace barline::tools
