// SPDX-License-Identifier: Apache-2.0
// Structs that grow: the caller's may be shorter or longer than the one that this library knows.
#pragma once
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <string>

namespace barline::abi {

/// Throws std::invalid_argument where a pointer is null.
inline void require(const void* pointer, const char* what) {
  if (pointer == nullptr) [[unlikely]]
    throw std::invalid_argument(std::string(what) + " is null; pass one");
}

/// The caller's struct_size, checked.
inline std::size_t size_of_struct(const void* theirs, const char* what) {
  require(theirs, what);
  std::uint32_t size = 0;
  std::memcpy(&size, theirs, sizeof size);
  if (size < 2 * sizeof size) [[unlikely]]
    throw std::invalid_argument(std::string(what) + ".struct_size is not set; set it to sizeof");
  return size;
}

/// What the caller gave, with zeros where its struct is shorter.
template <typename T>
T read_struct(const T* theirs, const char* what) {
  T mine{};
  std::memcpy(&mine, theirs, std::min(sizeof mine, size_of_struct(theirs, what)));
  return mine;
}

/// Fills as much of the caller's struct as it has, but its struct_size.
template <typename T>
void write_struct(T* theirs, T mine, const char* what) {
  const std::size_t size = size_of_struct(theirs, what);
  mine.struct_size = theirs->struct_size;
  std::memcpy(theirs, &mine, std::min(sizeof mine, size));
}

}  // namespace barline::abi
