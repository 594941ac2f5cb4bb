// SPDX-License-Identifier: Apache-2.0
// A compiled kernel on a device. Preparing does all that may load, allocate or wait; a launch is
// one driver call, after one on the host alone for each tensor map that the launch before had not,
// and safe under graph capture.
#pragma once

#include <memory>
#include <span>

#include "runtime/cache/disk_cache.h"
#include "runtime/driver/device.h"
#include "runtime/driver/launch.h"
#include "runtime/driver/library.h"
#include "runtime/launch/argument.h"
#include "runtime/launch/libraries.h"
#include "runtime/launch/maps.h"
#include "runtime/launch/signature.h"
#include "runtime/launch/workspace.h"

namespace barline::runtime {

/// How one launch stands among those around it in its stream.
struct LaunchOptions {
  /// May start before the launch before it ends, where the kernel waits for that itself; another
  /// kernel is launched as ever. So every launch of a chain can ask for it.
  bool programmatic = false;
  /// Device address and bytes of the kernel's scratch, which is then left out of the arguments; 0:
  /// scratch tensors are arguments as others are.
  std::uint64_t workspace = 0, workspace_bytes = 0;
};

/// A kernel on a device, ready to launch from any thread.
class Prepared {
 public:
  /// Loads the entry's code and makes it resident, beside captures of other threads. Throws
  /// driver::Error, and std::invalid_argument where the device has not what the kernel's launches
  /// need. Code that `libraries` holds for the device is shared, not loaded again.
  Prepared(const driver::Device& device, Found found, Libraries& libraries,
           Code code = Code::Cubin);

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
  /// The workspace that a launch of these sizes needs, one a stream. It is zeroed when it is made
  /// and when it is used with other sizes, and never in between.
  WorkspaceSize workspace(std::span<const std::int64_t> sizes) const;
  /// Parameters that are given by a workspace.
  int scratch_params() const { return scratch_params_; }
  /// The shape that a launch of these sizes has.
  driver::LaunchShape shape(std::span<const std::int64_t> sizes, LaunchOptions options = {}) const;

  static constexpr int max_arguments = 64;

 private:
  void check_counts(std::size_t args, std::size_t sizes, bool workspace) const;
  void check_sizes(std::span<const std::int64_t> sizes) const;
  void check_argument(const SignatureParam& param, const Argument& arg) const;
  void check_workspace(const LaunchOptions& options, std::span<const std::int64_t> sizes) const;
  void find_residency();
  [[noreturn]] void refuse(const std::string& what) const;

  std::shared_ptr<const Entry> entry_;
  Source source_;
  Signature signature_;
  std::shared_ptr<const driver::Library> library_;
  driver::Kernel kernel_;
  driver::LaunchShape shape_;
  /// Blocks, in whole clusters, that fit on the device at once; of persistent kernels and clusters.
  unsigned resident_ = 0;
  int scratch_params_ = 0;
  std::unique_ptr<LastMaps> last_maps_;  ///< of kernels with tensor maps
};

}  // namespace barline::runtime
