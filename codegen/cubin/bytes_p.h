// SPDX-License-Identifier: Apache-2.0
// Reads from untrusted bytes: every access is checked, every sum is checked for wrap-around.
#pragma once

#include <fmt/format.h>

#include <bit>
#include <cstring>
#include <type_traits>

#include "codegen/cubin/cubin.h"

namespace barline::codegen {

static_assert(std::endian::native == std::endian::little, "cubins are little endian");

/// `size` bytes at `offset`, or CubinError that names `what`.
inline std::span<const std::byte> part(std::span<const std::byte> bytes, std::uint64_t offset,
                                       std::uint64_t size, std::string_view what) {
  if (offset > bytes.size() || size > bytes.size() - offset)
    throw CubinError(fmt::format("{} at {} of {} bytes lies outside its {} bytes", what, offset,
                                 size, bytes.size()));
  return bytes.subspan(static_cast<std::size_t>(offset), static_cast<std::size_t>(size));
}

template <class T>
T read(std::span<const std::byte> bytes, std::uint64_t offset, std::string_view what) {
  static_assert(std::is_trivially_copyable_v<T>);
  T value;
  std::memcpy(&value, part(bytes, offset, sizeof(T), what).data(), sizeof(T));
  return value;
}

/// The NUL-terminated string at `offset` of a string table.
inline std::string_view string_at(std::span<const std::byte> table, std::uint64_t offset,
                                  std::string_view what) {
  if (offset >= table.size())
    throw CubinError(fmt::format("name of {} lies outside its string table", what));
  const char* begin = reinterpret_cast<const char*>(table.data()) + offset;
  std::size_t room = table.size() - static_cast<std::size_t>(offset);
  const void* end = std::memchr(begin, 0, room);
  if (!end) throw CubinError(fmt::format("name of {} has no end", what));
  return {begin, static_cast<std::size_t>(static_cast<const char*>(end) - begin)};
}

}  // namespace barline::codegen
