// SPDX-License-Identifier: Apache-2.0
// Launch arguments out of a framework's tensors: each is held against the kernel's signature, and
// the sizes of the dynamic axes are read off the shapes.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "runtime/launch/prepared.h"

namespace barline::runtime {

/// DLPack's DLTensor, member by member.
struct TensorView {
  void* data;
  std::int32_t device_type, device_id;
  std::int32_t ndim;
  std::uint8_t code, bits;
  std::uint16_t lanes;
  std::int64_t* shape;
  std::int64_t* strides;  ///< in elements; null: dense rows
  std::uint64_t byte_offset;
};

/// The sizes of the dynamic axes as the tensors' shapes have them: `tensors` has one a parameter,
/// null where it is none. Throws std::invalid_argument that names the axis that no tensor shows.
void infer_sizes(const Prepared& kernel, std::span<const TensorView* const> tensors,
                 std::span<std::int64_t> sizes);

/// The argument of parameter `index`. Throws std::invalid_argument that names kernel, tensor, rule
/// and fix where device, type, rank, shape or strides are not the parameter's. Sub-byte and
/// 8-bit-float elements may come as uint8, packed along the last axis; signedness is not compared.
Argument bind_tensor(const Prepared& kernel, std::size_t index, const TensorView& tensor,
                     std::span<const std::int64_t> sizes);

}  // namespace barline::runtime
