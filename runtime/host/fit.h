// SPDX-License-Identifier: Apache-2.0
// Which code runs on which GPU, told by a target's name and the device's compute capability.
#pragma once
#include <optional>
#include <string_view>

#include "runtime/driver/device.h"

namespace barline::runtime {

/// "sm_90a" taken apart.
struct TargetName {
  int capability = 0;     ///< 90
  bool specific = false;  ///< an `a` target: for this capability alone
};
std::optional<TargetName> parse_target(std::string_view name);

/// Machine code moves to a higher capability of the same generation. Higher is a better fit.
std::optional<int> cubin_fit(std::string_view target, const driver::DeviceInfo& device);

/// PTX moves to every higher capability. The text says itself what it was written for.
std::optional<int> ptx_fit(std::string_view ptx, const driver::DeviceInfo& device);

}  // namespace barline::runtime
