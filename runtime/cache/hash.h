// SPDX-License-Identifier: Apache-2.0
// BLAKE3-256, the hash of cache keys and of cache entries.
#pragma once
#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace barline::runtime {

struct Hash256 {
  std::array<std::uint8_t, 32> bytes{};

  std::string hex() const;  ///< 64 lower-case digits
  static std::optional<Hash256> from_hex(std::string_view text);
  friend auto operator<=>(const Hash256&, const Hash256&) = default;
};

/// Incremental hashing without allocation.
class Blake3 {
 public:
  Blake3();
  Blake3& update(std::span<const std::byte> bytes);
  Blake3& update(std::string_view text) { return update(std::as_bytes(std::span(text))); }
  Blake3& update_u32(std::uint32_t value);  ///< little endian
  Hash256 finish() const;

 private:
  // Room for llvm_blake3_hasher, whose header stays out of this one; checked in the .cpp.
  alignas(8) std::array<std::byte, 1920> state_;
};

Hash256 blake3(std::span<const std::byte> bytes);
Hash256 blake3(std::string_view text);

}  // namespace barline::runtime

template <>
struct std::hash<barline::runtime::Hash256> {
  std::size_t operator()(const barline::runtime::Hash256& hash) const noexcept {
    std::size_t out = 0;
    // The end: warm keys of one name begin alike.
    std::memcpy(&out, hash.bytes.data() + hash.bytes.size() - sizeof out, sizeof out);
    return out;
  }
};
