// SPDX-License-Identifier: Apache-2.0
// A kernel's scratch tensors as one piece of device memory, one after the other in the order of the
// parameters.
#pragma once
#include <cstdint>
#include <span>

#include "runtime/launch/signature.h"

namespace barline::runtime {

/// What a launch needs besides its arguments.
struct WorkspaceSize {
  std::uint64_t bytes = 0;  ///< 0: the kernel has no scratch
  std::uint64_t align = 0;
};

/// Of launches with these sizes of the dynamic axes, which are in range.
WorkspaceSize workspace_size(const Signature& signature, std::span<const std::int64_t> sizes);

/// From the beginning of one scratch tensor to that of the next.
std::uint64_t scratch_bytes(const SignatureParam& param, std::span<const std::int64_t> sizes);

}  // namespace barline::runtime
