// SPDX-License-Identifier: Apache-2.0
// The tensor maps of one launch, from its signature, its arguments and its sizes.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <mutex>
#include <span>
#include <string_view>
#include <vector>

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

/// The maps that a kernel was launched with last. A map says nothing but an address and a shape, so
/// a launch of the same takes it again: encoding costs more than all else that a launch does here.
class LastMaps {
 public:
  /// Calls launch(maps) with the maps of these addresses and sizes, `encode(maps)`d where the last
  /// ones are of others. While another thread launches from here, one encodes maps of its own.
  template <class Encode, class Launch>
  void use(std::span<const std::uint64_t> addresses, std::span<const std::int64_t> sizes,
           Encode&& encode, Launch&& launch) {
    const std::unique_lock held(mutex_, std::try_to_lock);
    if (!held) {
      Maps own;
      encode(own);
      return launch(own);
    }
    if (!known_ || !std::ranges::equal(addresses, addresses_) ||
        !std::ranges::equal(sizes, sizes_)) {
      known_ = false;
      encode(maps_);
      addresses_.assign(addresses.begin(), addresses.end());
      sizes_.assign(sizes.begin(), sizes.end());
      known_ = true;
    }
    launch(maps_);
  }

 private:
  std::mutex mutex_;  // of all below
  bool known_ = false;
  std::vector<std::uint64_t> addresses_;
  std::vector<std::int64_t> sizes_;
  Maps maps_;
};

/// Throws std::invalid_argument where a kernel asks for what no map has: an element type, or more
/// than max_maps maps.
void check_maps(std::string_view kernel, const Signature& signature);

}  // namespace barline::runtime
