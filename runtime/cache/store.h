// SPDX-License-Identifier: Apache-2.0
// Files in one cache directory: opening with every trust check, atomic publishing, moving bad files
// aside. Knows names and bytes, nothing of what is in them.
#pragma once
#include <cstddef>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/cache/fd.h"
#include "runtime/cache/options.h"

namespace barline::runtime {

/// The outcome of a file operation: errno, or a sentence where errno says too little.
struct IoResult {
  int error = 0;
  std::string problem;
  bool ok() const { return error == 0 && problem.empty(); }
  std::string text() const;  ///< "ENOSPC (No space left on device)" or the sentence
};

struct ReadFile {
  std::optional<std::vector<std::byte>> bytes;
  bool missing = false;  ///< no such file: a plain miss
  IoResult why;          ///< when neither
};

class Store {
 public:
  enum class Kind { Writable, Seed };

  /// Opens `dir`/v1, creating it for a writable store. Throws nothing: ask status().
  Store(std::filesystem::path dir, CacheMode mode, Kind kind);

  const IoResult& status() const { return status_; }
  const std::filesystem::path& dir() const { return dir_; }

  /// `name` is relative to v1: "ab/<62 hex>.blc". At most `limit` bytes.
  ReadFile read(const std::string& name, std::size_t limit) const;

  enum class IfPresent { Keep, Replace };
  /// Writes to a temporary, syncs, then puts it in place at once. A file that is already there and
  /// kept is success: someone else published the same key first.
  IoResult publish(const std::string& name, std::span<const std::byte> bytes, IfPresent if_present);

  /// Moves a file that failed a check to v1/bad, best effort.
  void quarantine(const std::string& name) const;

  /// Marks a file as used, at most hourly, for the eviction order.
  void touch(const std::string& name) const;

  Fd open_lock(const std::string& name) const;  ///< invalid when it cannot be had
  Fd open_dir(const std::string& name) const;   ///< "" is v1 itself
  int root() const { return root_.get(); }

  /// True on NFS and its like, where locks are advisory at best.
  bool on_network() const;

 private:
  IoResult open_root(Kind kind);
  IoResult make_dir(const std::string& name) const;
  IoResult ensure_layout();
  IoResult write_temp(const std::string& temp, std::span<const std::byte> bytes) const;
  unsigned dir_mode() const { return mode_ == CacheMode::Shared ? 02770 : 0700; }
  unsigned file_mode() const { return mode_ == CacheMode::Shared ? 0640 : 0600; }

  std::filesystem::path dir_;
  CacheMode mode_;
  Kind kind_;
  Fd root_;
  IoResult status_;
};

}  // namespace barline::runtime
