// SPDX-License-Identifier: Apache-2.0
// Tensor maps: what a launch passes for each tensor that copy_tensor reads, so that the hardware
// knows its shape. They follow the axes' sizes in the launch signature, 128 bytes each, in the
// order of tensor_maps().
#pragma once

#include <cstdint>
#include <vector>

#include "ir/kernel.h"

namespace barline::ir {

/// The box of a tensor's last two axes that one copy brings.
struct TensorMap {
  int param = -1;
  std::int64_t rows = 1, columns = 1;
  bool swizzled = false;  ///< rows of 128 bytes stand as ir/swizzle.h says
  bool operator==(const TensorMap&) const = default;
};

/// The maps that the kernel's copy_tensor ops need, each once: by op in program order, the
/// parameters of a choose in their order.
std::vector<TensorMap> tensor_maps(const Kernel& k);

/// The map of a copy_tensor for one of the parameters that it may read.
TensorMap map_of(const Operation& copy, int param);

}  // namespace barline::ir
