// SPDX-License-Identifier: Apache-2.0
// A Host that compiles what neither packs nor cache hold. The compiler is in a library of its own,
// which is loaded when a host names the kernel libraries to compile from, and not before.
#pragma once
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "runtime/cache/disk_cache.h"
#include "runtime/driver/device.h"
#include "runtime/options.h"

namespace barline::runtime {

struct KernelRequest;

/// The kernel is there and did not compile, or the machine has no assembler.
struct CompileError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// All members may be called from any thread.
class Compiler {
 public:
  virtual ~Compiler() = default;
  /// "rms_norm.bf16@row256": of every kernel, type and schedule that can be compiled, sorted.
  virtual std::vector<std::string> names() const = 0;
  /// The kernel for the device: found in the cache by its key, or compiled. Nothing where no
  /// library has one of that name. Throws CompileError, and KernelNotFound that names the key where
  /// Jit is Off.
  virtual Found find(const KernelRequest& request, const driver::DeviceInfo& device) = 0;
};

/// What libbarline exports as "barline_open_compiler", for the runtime of the same version.
using OpenCompiler = Compiler* (*)(const char* version, const Options& options);

/// Loads the libraries of Options::kernels and with them the compiler that they are linked to.
/// Throws std::invalid_argument that names the library, the rule and the fix.
std::shared_ptr<Compiler> load_compiler(const Options& options);

/// The kernel library of the build or the install tree that this runtime is in.
std::filesystem::path own_kernels();

}  // namespace barline::runtime
