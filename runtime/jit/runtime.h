// SPDX-License-Identifier: Apache-2.0
// Runtime: kernels by registry entry and config, compiled or taken from the cache, loaded on a
// device and launched. prepare() does all that may compile, load, allocate or wait; launch() is one
// driver call, after one on the host alone for each tensor map, and safe under graph capture.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <span>

#include "runtime/driver/device.h"
#include "runtime/driver/launch.h"
#include "runtime/driver/library.h"
#include "runtime/jit/maps.h"
#include "runtime/jit/signature.h"
#include "runtime/jit/unit.h"
#include "runtime/options.h"

namespace barline::jit {

/// One kernel argument: a device pointer or a scalar of the parameter's type.
class Argument {
 public:
  static Argument pointer(std::uint64_t address) { return {ir::Elem::U64, true, address}; }
  Argument(float v);
  Argument(double v);
  Argument(std::int32_t v);
  Argument(std::uint32_t v);
  Argument(std::int64_t v);
  Argument(std::uint64_t v);
  /// A scalar of another type (f16, s8, ...) by its bits.
  static Argument bits(ir::Elem elem, std::uint64_t bits) { return {elem, false, bits}; }

  ir::Elem elem() const { return elem_; }
  bool is_pointer() const { return pointer_; }
  const std::uint64_t& value() const { return bits_; }

 private:
  Argument(ir::Elem elem, bool pointer, std::uint64_t bits)
      : bits_(bits), elem_(elem), pointer_(pointer) {}
  std::uint64_t bits_;
  ir::Elem elem_;
  bool pointer_;
};

/// How one launch stands among those around it in its stream.
struct LaunchOptions {
  /// May start before the launch before it ends, where the kernel waits for that itself; another
  /// kernel is launched as ever. So every launch of a chain can ask for it.
  bool programmatic = false;
};

/// A kernel on a device, ready to launch from any thread.
class Prepared {
 public:
  const Signature& signature() const { return signature_; }
  const runtime::Metadata& metadata() const { return entry_->metadata; }
  runtime::Source source() const { return source_; }
  const driver::Kernel& kernel() const { return kernel_; }

  /// Launches with the parameters in order and the sizes of the dynamic axes in order. Throws
  /// std::invalid_argument that names parameter, rule and fix where a type, an alignment (tensors:
  /// 16 bytes) or a size is not what the signature says.
  void launch(driver::abi::StreamHandle stream, std::span<const Argument> args,
              std::span<const std::int64_t> sizes, LaunchOptions options = {}) const;
  /// The shape that a launch of these sizes has.
  driver::LaunchShape shape(std::span<const std::int64_t> sizes, LaunchOptions options = {}) const;

  static constexpr int max_arguments = 64;

 private:
  friend class Runtime;
  Prepared(driver::Library library, runtime::Found found);
  void check_arguments(std::span<const Argument> args, std::span<const std::int64_t> sizes) const;
  void find_residency();
  [[noreturn]] void refuse(const std::string& what) const;

  std::shared_ptr<const runtime::Entry> entry_;
  runtime::Source source_;
  Signature signature_;
  driver::Library library_;
  driver::Kernel kernel_;
  driver::LaunchShape shape_;
  /// Blocks, in whole clusters, that fit on the device at once; of persistent kernels and clusters.
  unsigned resident_ = 0;
};

/// A JIT that was turned off met a kernel that is not in the cache.
struct JitDisabled : std::runtime_error {
  using std::runtime_error::runtime_error;
};

class Runtime {
 public:
  explicit Runtime(runtime::Options options);

  /// Finds or compiles the kernel for the device, loads it and makes it resident. Throws ir::Error,
  /// codegen errors, codegen::MissingPtxas, JitDisabled and driver::Error.
  Prepared prepare(const driver::Device& device, const dsl::KernelEntry& entry, ir::Elem elem,
                   const dsl::Config& config);
  /// The part of prepare() that needs no device.
  runtime::Found find(const Unit& unit);
  runtime::KernelCache& cache() { return cache_; }

 private:
  const codegen::Ptxas& ptxas();

  runtime::Options options_;
  runtime::KernelCache cache_;
  std::once_flag ptxas_once_;
  std::optional<codegen::Ptxas> ptxas_;
};

/// The target to compile for on a device: its own, or the newest that its GPU runs. Throws
/// std::runtime_error below sm_80.
const ir::Target& target_for(const driver::DeviceInfo& device);

/// The assembler release that this build pins budgets and warm keys to.
inline constexpr std::string_view pinned_assembler = "ptxas 13.0";

}  // namespace barline::jit
