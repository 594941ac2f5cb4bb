// SPDX-License-Identifier: Apache-2.0
// BLAKE3 by LLVM support's C implementation, the only thing of LLVM in the runtime library.
#include "runtime/cache/hash.h"

#include <llvm-c/blake3.h>

#include <new>

namespace barline::runtime {
namespace {

static_assert(sizeof(llvm_blake3_hasher) <= 1920 && alignof(llvm_blake3_hasher) <= 8);

llvm_blake3_hasher* hasher(std::array<std::byte, 1920>& state) {
  return std::launder(reinterpret_cast<llvm_blake3_hasher*>(state.data()));
}

int digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

}  // namespace

Blake3::Blake3() { llvm_blake3_hasher_init(new (state_.data()) llvm_blake3_hasher); }

Blake3& Blake3::update(std::span<const std::byte> bytes) {
  llvm_blake3_hasher_update(hasher(state_), bytes.data(), bytes.size());
  return *this;
}

Blake3& Blake3::update_u32(std::uint32_t value) {
  std::array<std::byte, 4> bytes;
  for (std::byte& byte : bytes) {
    byte = static_cast<std::byte>(value & 0xff);
    value >>= 8;
  }
  return update(bytes);
}

Hash256 Blake3::finish() const {
  Hash256 hash;
  auto* self = std::launder(reinterpret_cast<const llvm_blake3_hasher*>(state_.data()));
  llvm_blake3_hasher_finalize(self, hash.bytes.data(), hash.bytes.size());
  return hash;
}

std::string Hash256::hex() const {
  constexpr char digits[] = "0123456789abcdef";
  std::string text;
  text.reserve(64);
  for (std::uint8_t byte : bytes) {
    text += digits[byte >> 4];
    text += digits[byte & 15];
  }
  return text;
}

std::optional<Hash256> Hash256::from_hex(std::string_view text) {
  Hash256 hash;
  if (text.size() != 2 * hash.bytes.size()) return std::nullopt;
  for (std::size_t i = 0; i < hash.bytes.size(); ++i) {
    const int high = digit(text[2 * i]), low = digit(text[2 * i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    hash.bytes[i] = static_cast<std::uint8_t>(high * 16 + low);
  }
  return hash;
}

Hash256 blake3(std::span<const std::byte> bytes) { return Blake3().update(bytes).finish(); }
Hash256 blake3(std::string_view text) { return Blake3().update(text).finish(); }

}  // namespace barline::runtime
