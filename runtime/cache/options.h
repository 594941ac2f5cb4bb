// SPDX-License-Identifier: Apache-2.0
// Where the disk cache lives, whom it trusts and how large it grows.
#pragma once
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace barline::runtime {

enum class CacheMode {
  Private,  ///< files 0600; a directory that others own or may write is refused
  Shared,   ///< files 0640; the group may write; the members trust each other's code
  Off,      ///< memory only
};

struct CacheOptions {
  std::filesystem::path dir{};  ///< empty: memory only
  CacheMode mode = CacheMode::Private;
  std::vector<std::filesystem::path> seeds{};  ///< read-only, searched after dir, in order
  std::uint64_t max_bytes = std::uint64_t{2} << 30;
  std::uint64_t max_files = 20000;
  std::chrono::milliseconds lock_wait{120000};  ///< then compile without the lock
  /// Receives each warning once. A cache problem is never more than a warning.
  std::function<void(const std::string&)> warn{};
};

}  // namespace barline::runtime
