// SPDX-License-Identifier: Apache-2.0
// The tensor maps of one launch, from its signature, its arguments and its sizes.
#pragma once

#include <array>
#include <span>
#include <string_view>

#include "runtime/driver/device.h"
#include "runtime/driver/tensor_map.h"
#include "runtime/launch/signature.h"

namespace barline::runtime {

inline constexpr std::size_t max_maps = 16;
using Maps = std::array<driver::abi::TensorMap, max_maps>;

/// Encodes a map for each of the signature's; `address(param)` is where a parameter's tensor
/// stands, checked to be a multiple of 16. Throws std::invalid_argument that names kernel, tensor,
/// rule and fix where a tensor's rows are not whole units of 16 bytes.
void encode_maps(const driver::Device& device, std::string_view kernel, const Signature& signature,
                 std::span<const std::uint64_t> addresses, std::span<const std::int64_t> sizes,
                 Maps& maps);

/// Throws std::invalid_argument where a kernel asks for what no map has: an element type, or more
/// than max_maps maps.
void check_maps(std::string_view kernel, const Signature& signature);

}  // namespace barline::runtime
