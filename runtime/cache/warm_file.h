// SPDX-License-Identifier: Apache-2.0
// The small file of the warm path: a warm key and the key of the entry that it leads to.
//
//   "BLW1" | BLAKE3 of the rest (32) | entry key (32) | warm key record
#pragma once
#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "runtime/cache/key.h"

namespace barline::runtime {

inline constexpr std::size_t max_warm_bytes = std::size_t{1} << 20;

struct WarmFile {
  KeyRecord warm;
  Hash256 entry;
};

std::vector<std::byte> serialize_warm(const WarmFile& file);
/// Nothing when any byte is not as it was written.
std::optional<WarmFile> parse_warm(std::span<const std::byte> bytes);

}  // namespace barline::runtime
