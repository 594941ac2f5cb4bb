// SPDX-License-Identifier: Apache-2.0
// A compiled kernel on a device. Preparing does all that may load, allocate or wait; a launch is
// one driver call, after one on the host alone for each tensor map, and safe under graph capture.
#pragma once

#include <memory>
#include <span>

#include "runtime/cache/disk_cache.h"
#include "runtime/driver/device.h"
#include "runtime/driver/launch.h"
#include "runtime/driver/library.h"
#include "runtime/launch/argument.h"
#include "runtime/launch/maps.h"
#include "runtime/launch/signature.h"

namespace barline::runtime {

/// How one launch stands among those around it in its stream.
struct LaunchOptions {
  /// May start before the launch before it ends, where the kernel waits for that itself; another
  /// kernel is launched as ever. So every launch of a chain can ask for it.
  bool programmatic = false;
};

/// Which of an entry's two codes is loaded: what ptxas made, or text that the driver compiles now.
enum class Code { Cubin, Ptx };

/// A kernel on a device, ready to launch from any thread.
class Prepared {
 public:
  /// Loads the entry's code and makes it resident, beside captures of other threads. Throws
  /// driver::Error, and std::invalid_argument where the device has not what the kernel's launches
  /// need.
  Prepared(const driver::Device& device, Found found, Code code = Code::Cubin);

  const Signature& signature() const { return signature_; }
  const Metadata& metadata() const { return entry_->metadata; }
  const KeyRecord& key() const { return entry_->key; }
  Source source() const { return source_; }
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
  void check_arguments(std::span<const Argument> args, std::span<const std::int64_t> sizes) const;
  void find_residency();
  [[noreturn]] void refuse(const std::string& what) const;

  std::shared_ptr<const Entry> entry_;
  Source source_;
  Signature signature_;
  driver::Library library_;
  driver::Kernel kernel_;
  driver::LaunchShape shape_;
  /// Blocks, in whole clusters, that fit on the device at once; of persistent kernels and clusters.
  unsigned resident_ = 0;
};

}  // namespace barline::runtime
