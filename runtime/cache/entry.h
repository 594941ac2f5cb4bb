// SPDX-License-Identifier: Apache-2.0
// One cache entry: key, metadata, cubin and optional PTX in a single file, so that no reader ever
// pairs the code of one build with the metadata of another.
//
//   0  "BLC1"            16  BLAKE3 of all other bytes (32)     48  key, metadata bytes (u32 each)
//   4  u32 header bytes                                         56  cubin, PTX bytes (u64 each)
//   8  u64 total bytes                                          72  u32 least reader, u32 zero
//  80  key | metadata | cubin | PTX | "1CLB"
//
// All integers are little endian.
#pragma once
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "runtime/cache/key.h"
#include "runtime/cache/metadata.h"

namespace barline::runtime {

struct Entry {
  KeyRecord key{};
  Metadata metadata{};
  std::vector<std::byte> cubin{};  ///< may be empty when there is PTX
  std::string ptx{};               ///< may be empty
  friend bool operator==(const Entry&, const Entry&) = default;
};

/// Entries above this size are neither written nor read.
inline constexpr std::size_t max_entry_bytes = std::size_t{64} << 20;

struct ParsedEntry {
  std::optional<Entry> entry;
  std::string problem;  ///< why there is no entry
  explicit operator bool() const { return entry.has_value(); }
};

/// Never reads out of bounds and never trusts a length; any changed bit is a problem.
ParsedEntry parse_entry(std::span<const std::byte> bytes);

/// Throws std::length_error above max_entry_bytes.
std::vector<std::byte> serialize_entry(const Entry& entry);

/// Empty when `image` is a whole 64-bit CUDA ELF file; otherwise what is wrong. An assembler on a
/// full disk reports success and leaves half a file, so this is asked before publishing and after
/// reading.
std::string cubin_problem(std::span<const std::byte> image);

/// Why a well-formed entry must not be used under this key; empty when it may.
std::string entry_problem(const Entry& entry, const Hash256& key);

}  // namespace barline::runtime
