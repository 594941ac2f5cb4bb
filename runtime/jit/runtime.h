// SPDX-License-Identifier: Apache-2.0
// Runtime: kernels by registry entry and config, compiled or taken from the cache, loaded on a
// device and launched. prepare() does all that may compile, load, allocate or wait; launch() is one
// driver call, after one on the host alone for each tensor map, and safe under graph capture.
#pragma once

#include <memory>
#include <mutex>
#include <span>

#include "runtime/driver/device.h"
#include "runtime/jit/memory.h"
#include "runtime/jit/unit.h"
#include "runtime/launch/prepared.h"
#include "runtime/options.h"
#include "runtime/pack/pack.h"

namespace barline::jit {

// What prepare() gives and launches take.
using runtime::Argument;
using runtime::LaunchOptions;
using runtime::Prepared;

/// A JIT that was turned off met a kernel that is not in the cache.
struct JitDisabled : std::runtime_error {
  using std::runtime_error::runtime_error;
};

class Runtime {
 public:
  /// Reads Options::packs. Throws runtime::PackError.
  explicit Runtime(runtime::Options options);

  /// Finds or compiles the kernel for the device, loads it and makes it resident. Throws ir::Error,
  /// codegen errors, codegen::MissingAssembler, JitDisabled, runtime::OverBudget and driver::Error.
  Prepared prepare(const driver::Device& device, const dsl::KernelEntry& entry, ir::Elem elem,
                   const dsl::Config& config);
  /// The part of prepare() that needs no device. Found before: well under a microsecond.
  runtime::Found find(const Unit& unit);
  runtime::KernelCache& cache() { return cache_; }

 private:
  const codegen::Assembler& assembler();
  runtime::Found find_in_packs(const Unit& unit) const;
  runtime::Found find_or_refuse(const Unit& unit);

  runtime::Options options_;
  runtime::KernelCache cache_;
  Memory memory_;
  runtime::Libraries libraries_;
  std::vector<std::shared_ptr<const runtime::Pack>> packs_;
  std::once_flag assembler_once_;
  std::unique_ptr<const codegen::Assembler> assembler_;
};

/// The target to compile for on a device: its own, or the newest that its GPU runs. Throws
/// std::runtime_error below sm_80.
const ir::Target& target_for(const driver::DeviceInfo& device);

/// The assembler release that this build pins budgets and warm keys to.
inline constexpr std::string_view pinned_assembler = "ptxas 13.0";

}  // namespace barline::jit
