// SPDX-License-Identifier: Apache-2.0
// All files of a cache directory that are spelled as ours are. Nothing else is ever listed, so
// nothing else can be removed.
#pragma once
#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "runtime/cache/hash.h"
#include "runtime/cache/store.h"

namespace barline::runtime {

enum class FileKind { Entry, Warm, Temp, Bad };

struct CacheFile {
  FileKind kind = FileKind::Entry;
  std::string name;  ///< relative to v1
  Hash256 key;       ///< of entries and warm keys
  std::uint64_t bytes = 0;
  std::int64_t used_ns = 0;  ///< modification time
  std::uint64_t inode = 0;
};

std::vector<CacheFile> walk(const Store& store);

/// The warm keys whose hashes begin as `name` (named_hash) does: one folder is listed.
std::vector<CacheFile> walk_warm(const Store& store, const Hash256& name);

/// Nanoseconds since the epoch, `age` ago.
std::int64_t before(std::chrono::seconds age);

/// A temporary of nobody's: its writer died, or it is older than `age`. A writer holds its
/// temporary's lock, so one that can be locked has none; between hosts a lock says little, and age
/// decides alone.
bool abandoned(const Store& store, const CacheFile& temp, std::chrono::seconds age);

/// Removes listed files, from one open root for all of them.
class Remover {
 public:
  explicit Remover(const Store& store) : root_(store.open_dir(".")) {}
  /// False, and the file stays, when it was replaced or used since it was listed.
  bool remove_unchanged(const CacheFile& file) const;

 private:
  Fd root_;
};

}  // namespace barline::runtime
