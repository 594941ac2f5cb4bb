// SPDX-License-Identifier: Apache-2.0
// Launching a kernel: one driver call, no allocation, no lock, no attribute set, so that it is safe
// under graph capture and costs what the driver costs.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>

#include "runtime/driver/library.h"

namespace barline::driver {

struct Dim3 {
  unsigned x = 1, y = 1, z = 1;
  friend bool operator==(const Dim3&, const Dim3&) = default;
};

struct LaunchShape {
  Dim3 grid{};
  Dim3 block{};
  std::uint32_t dynamic_shared_bytes = 0;
  Dim3 cluster{};             ///< in blocks; {1, 1, 1}: none
  bool cooperative = false;   ///< every block resident at once
  bool programmatic = false;  ///< may start before its predecessor in the stream ends: only where
                              ///< the kernel waits for that itself
};

/// Launches with one pointer an argument, in the kernel's order; values are copied by the call.
/// A null stream is the legacy default stream of the kernel's device.
void launch(const Kernel& kernel, const LaunchShape& shape, abi::StreamHandle stream,
            void** arguments);

/// Launches with all arguments packed in one buffer, laid out as the kernel's parameter space.
void launch_packed(const Kernel& kernel, const LaunchShape& shape, abi::StreamHandle stream,
                   std::span<const std::byte> arguments);

/// Blocks of this shape that can be resident on the whole device at once.
int resident_blocks(const Kernel& kernel, const LaunchShape& shape);

/// Throws std::invalid_argument that names kernel, what is asked and what fits, when a shape
/// exceeds a limit of the device, no cluster of it fits, or a cooperative one cannot be resident at
/// once.
void check_shape(const Kernel& kernel, const LaunchShape& shape);

}  // namespace barline::driver
