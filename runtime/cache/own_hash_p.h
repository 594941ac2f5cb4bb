// SPDX-License-Identifier: Apache-2.0
// Files that hold their own hash: it covers every byte but itself, so that no field of a header can
// change unseen.
#pragma once
#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

#include "runtime/cache/hash.h"

namespace barline::runtime {

/// BLAKE3 of all bytes but the hash's own at `offset`.
inline Hash256 hash_around(std::span<const std::byte> file, std::size_t offset) {
  return Blake3()
      .update(file.first(offset))
      .update(file.subspan(offset + sizeof(Hash256)))
      .finish();
}

/// Writes the hash of a file into its place.
inline void seal(std::vector<std::byte>& file, std::size_t offset) {
  const Hash256 hash = hash_around(file, offset);
  std::ranges::copy(std::as_bytes(std::span(hash.bytes)),
                    file.begin() + static_cast<std::ptrdiff_t>(offset));
}

/// True where the hash in its place is that of the file.
inline bool is_sealed(std::span<const std::byte> file, std::size_t offset) {
  const Hash256 hash = hash_around(file, offset);
  return std::ranges::equal(std::as_bytes(std::span(hash.bytes)),
                            file.subspan(offset, sizeof(Hash256)));
}

}  // namespace barline::runtime
