// SPDX-License-Identifier: Apache-2.0
// Names of cache files, and which names are ours.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "runtime/cache/hash.h"

namespace barline::runtime {

inline constexpr std::string_view entry_suffix = ".blc";
inline constexpr std::string_view warm_suffix = ".blw";

/// "ab/<62 hex>.blc"
inline std::string entry_name(const Hash256& key) {
  const std::string hex = key.hex();
  return hex.substr(0, 2) + "/" + hex.substr(2) + std::string(entry_suffix);
}

/// "warm/ab/<62 hex>.blw"
inline std::string warm_name(const Hash256& key) {
  const std::string hex = key.hex();
  return "warm/" + hex.substr(0, 2) + "/" + hex.substr(2) + std::string(warm_suffix);
}

inline std::string lock_name(const Hash256& key) { return key.hex().substr(0, 2) + ".lock"; }

inline bool is_shard(std::string_view name) {
  return name.size() == 2 && name.find_first_not_of("0123456789abcdef") == name.npos;
}

/// The key of a file `name` in folder `shard`, when both are spelled as ours are.
inline std::optional<Hash256> key_of(std::string_view shard, std::string_view name,
                                     std::string_view suffix) {
  if (!is_shard(shard) || name.size() != 62 + suffix.size() || !name.ends_with(suffix)) {
    return std::nullopt;
  }
  return Hash256::from_hex(std::string(shard) + std::string(name.substr(0, 62)));
}

}  // namespace barline::runtime
