// SPDX-License-Identifier: Apache-2.0
// Packed e2m1 codes: two neighbours a byte, the first in the low half, as a tensor of e2m1 has them
// and as checkpoints store uint8 [N, K/2].
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "ir/half.h"

namespace barline::formats {

/// Code i of packed bytes.
constexpr ir::e2m1_t e2m1_at(const std::byte* packed, std::int64_t i) {
  return {static_cast<std::uint8_t>(static_cast<std::uint8_t>(packed[i / 2]) >> (i % 2 * 4) & 15)};
}
constexpr void set_e2m1(std::byte* packed, std::int64_t i, ir::e2m1_t code) {
  const int shift = static_cast<int>(i % 2) * 4;
  const int rest = static_cast<int>(packed[i / 2]) & ~(15 << shift);
  packed[i / 2] = static_cast<std::byte>(rest | (code.bits & 15) << shift);
}

/// Codes as bytes; of an odd number the last high half is 0.
std::vector<std::byte> pack_e2m1(std::span<const ir::e2m1_t> codes);
/// `count` codes. Throws std::invalid_argument where the bytes hold fewer.
std::vector<ir::e2m1_t> unpack_e2m1(std::span<const std::byte> packed, std::int64_t count);

}  // namespace barline::formats
