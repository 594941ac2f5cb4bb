// SPDX-License-Identifier: Apache-2.0
// Kernels for a host that has no compiler: taken by name from packs and from a filled cache, loaded
// on a device. The C interface (runtime/abi/barline.h) is a thin layer over this.
#pragma once
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "runtime/cache/kernel_cache.h"
#include "runtime/host/bound_sizes.h"
#include "runtime/host/compiler.h"
#include "runtime/host/names.h"
#include "runtime/launch/budget.h"
#include "runtime/options.h"
#include "runtime/pack/pack.h"

namespace barline::runtime {

/// No pack and no cache holds the kernel; the message names what was asked for and where.
struct KernelNotFound : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// prepare() was called on a stream that is being captured.
struct PrepareInCapture : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Which kernel is meant.
struct KernelRequest {
  std::string name{};  ///< "rms_norm.bf16@row256"
  std::string key{};   ///< content key, 64 digits, where a name means several entries of a cache
  /// "d=8192 K=64": sizes that the kernel is compiled for. No pack and no cache serves another.
  std::string bind{};
  int device = 0;
  /// The caller's stream, where there is one: no kernel is prepared while it is being captured.
  driver::abi::StreamHandle stream = nullptr;
};

/// All members may be called from any thread.
class Host {
 public:
  /// Reads Options::packs, loads Options::kernels. Throws PackError, std::invalid_argument.
  explicit Host(Options options);

  /// Packs are asked before the cache, in the order they were added. Throws PackError.
  void add_pack(const std::filesystem::path& path);

  /// The kernel on the device: its own machine code; or portable PTX that the driver compiles,
  /// where Jit is On; or, with Options::kernels, compiled here. Throws KernelNotFound,
  /// CompileError, OverBudget, PrepareInCapture, PackError, driver::Error, std::invalid_argument.
  std::shared_ptr<const Prepared> prepare(const KernelRequest& request);

  /// The names that packs and cache hold, each once, sorted.
  std::vector<std::string> names();

  const Counters& counters() const { return cache_.counters(); }

 private:
  driver::Device device(int ordinal);
  std::vector<std::shared_ptr<const Pack>> packs();
  Found from_packs(const KernelRequest& request, const BoundSizes& bound,
                   const driver::DeviceInfo& device, Code& code);
  Found from_cache(const KernelRequest& request, const BoundSizes& bound,
                   const driver::DeviceInfo& device);
  [[noreturn]] void fail_missing(const KernelRequest& request, const driver::DeviceInfo& device);

  Options options_;
  KernelCache cache_;
  Libraries libraries_;
  std::shared_ptr<Compiler> compiler_;  // null: nothing compiles
  std::mutex mutex_;                    // of all below
  std::shared_ptr<const driver::Driver> driver_;
  std::map<int, driver::Device> devices_;
  std::vector<std::shared_ptr<const Pack>> packs_;
};

}  // namespace barline::runtime
