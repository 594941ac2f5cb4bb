// SPDX-License-Identifier: Apache-2.0
// Loaded device code and its kernels. Code comes from memory that was already checked, never from a
// path; kernels are looked up by name.
#pragma once
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/driver/device.h"

namespace barline::driver {

struct KernelAttributes {
  int registers = 0;
  int local_bytes = 0;  ///< per thread: stack frame and spills
  int static_shared_bytes = 0;
  int max_dynamic_shared_bytes = 0;
  int max_threads_per_block = 0;
  int ptx_version = 0, binary_version = 0;
};

/// A kernel of a Library; valid while that Library lives. Copying is free.
class Kernel {
 public:
  Kernel() = default;

  const std::string& name() const { return name_; }
  abi::KernelHandle handle() const { return handle_; }
  const Device& device() const { return *device_; }

  KernelAttributes attributes() const;

  /// Allows launches with up to `bytes` of dynamic shared memory. Checks the device's limit first;
  /// throws std::invalid_argument that names kernel, bytes and limit.
  void set_max_dynamic_shared(std::size_t bytes) const;

  /// Moves the code onto the device now, so that a lazy first launch neither allocates nor waits.
  void make_resident() const;

  /// Resident blocks a multiprocessor, at this many threads a block and dynamic shared bytes.
  int blocks_per_sm(int threads, std::size_t dynamic_shared_bytes) const;

 private:
  friend class Library;
  const Device* device_ = nullptr;
  abi::KernelHandle handle_ = nullptr;
  std::string name_;
};

struct JitOptions {
  int max_registers = 0;  ///< 0: the compiler's choice
  bool line_info = false;
  bool override_directives = false;  ///< max_registers wins over .maxntid and .maxnreg
};

class Library {
 public:
  /// Loads a cubin or fatbin image. The driver copies it. `label` stands in error messages.
  static Library from_image(const Device& device, std::span<const std::byte> image,
                            std::string label);
  /// Has the driver compile PTX text. Its log stands in the Error on failure, in log() otherwise.
  static Library from_ptx(const Device& device, std::string_view ptx, std::string label,
                          const JitOptions& options = {});
  ~Library();
  Library(Library&& other) noexcept;
  Library& operator=(Library&& other) noexcept;

  /// Throws Error{Call} that names the kernel and, where the driver can tell, the kernels there
  /// are.
  Kernel kernel(const std::string& name) const;
  /// Names of all kernels; empty on a driver below 12.4.
  std::vector<std::string> kernel_names() const;
  const std::string& log() const { return log_; }  ///< what the driver's compiler said
  const Device& device() const { return *device_; }

 private:
  Library(const Device& device, std::string label);
  void unload() noexcept;

  // Kernels point at the Device, so it stays put when the Library moves.
  std::shared_ptr<const Device> device_;
  abi::LibraryHandle handle_ = nullptr;
  std::string label_;
  std::string log_;
};

}  // namespace barline::driver
