// SPDX-License-Identifier: Apache-2.0
// One GPU: its limits and its primary context, which is retained and never created, so that barline
// shares memory and streams with the CUDA runtime and PyTorch in the same process.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "runtime/driver/driver.h"

namespace barline::driver {

/// Fixed facts of a device, read once. Sizes are bytes.
struct DeviceInfo {
  int ordinal = 0;
  std::string name;    ///< "NVIDIA H200"
  std::string pci_id;  ///< "0000:0f:00.0"
  int driver_version = 0;
  int major = 0, minor = 0;  ///< compute capability
  int sm_count = 0;
  int threads_per_sm = 0, blocks_per_sm = 0, registers_per_sm = 0;
  int max_threads_per_block = 0;
  int shared_per_block = 0;        ///< without opting in, 48 KiB
  int shared_per_block_optin = 0;  ///< with MaxDynamicSharedBytes set
  int shared_per_sm = 0;
  int shared_reserved_per_block = 0;
  int l2_bytes = 0;
  int clock_khz = 0, memory_clock_khz = 0, memory_bus_bits = 0;
  std::size_t memory_bytes = 0;
  bool cooperative = false;
  bool clusters = false;

  int sm() const { return major * 10 + minor; }  ///< 90 for sm_90
};

/// A cheap, copyable handle; the primary context is released with the last copy.
class Device {
 public:
  Device(std::shared_ptr<const Driver> driver, int ordinal);

  const DeviceInfo& info() const { return state_->info; }
  const Driver& driver() const { return *state_->driver; }
  const abi::Api& api() const { return state_->driver->api(); }
  abi::DeviceId id() const { return state_->id; }
  abi::Context context() const { return state_->context; }

  /// Waits for all work of the context; the printf buffer is written out here.
  void synchronize() const;
  std::size_t free_memory() const;

 private:
  struct State {
    std::shared_ptr<const Driver> driver;
    DeviceInfo info;
    abi::DeviceId id = 0;
    abi::Context context = nullptr;
    ~State();
  };
  std::shared_ptr<const State> state_;
};

/// Makes the device's context current on this thread for a scope, if it is not already.
class ContextScope {
 public:
  explicit ContextScope(const Device& device);
  ~ContextScope();
  ContextScope(const ContextScope&) = delete;
  ContextScope& operator=(const ContextScope&) = delete;

 private:
  const abi::Api& api_;
  bool pushed_ = false;
};

}  // namespace barline::driver
