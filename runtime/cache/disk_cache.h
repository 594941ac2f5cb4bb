// SPDX-License-Identifier: Apache-2.0
// The cache directory: one checked file an entry, published atomically, shared by processes that
// know nothing of each other. Every failure here is a miss or a warning, never an error of the
// compile.
//
//   CACHEDIR.TAG
//   v1/ab/<62 hex>.blc     entries, by the hash of their key
//   v1/warm/ab/<62>.blw    warm keys, each with the hash of the entry it leads to
//   v1/tmp/ v1/locks/ v1/bad/
#pragma once
#include <memory>
#include <mutex>
#include <optional>

#include "runtime/cache/counters.h"
#include "runtime/cache/entry.h"
#include "runtime/cache/lock.h"
#include "runtime/cache/options.h"
#include "runtime/cache/store.h"

namespace barline::runtime {

enum class Source { Memory, Disk, Seed, Built };

struct Found {
  std::shared_ptr<const Entry> entry;
  Source source = Source::Disk;
  explicit operator bool() const { return entry != nullptr; }
};

/// All members may be called from any thread.
class DiskCache {
 public:
  /// Never throws for what the file system does: an unusable directory means memory only, one
  /// warning.
  explicit DiskCache(CacheOptions options);
  ~DiskCache();

  /// The entry of this key hash, from the directory or a seed; a bad file is moved aside.
  Found find(const Hash256& key);

  /// Writes an entry; another's file under the same key wins. False when it could not be written.
  bool publish(const Hash256& key, const Entry& entry);

  /// The content key that a warm key leads to.
  std::optional<Hash256> find_warm(const WarmKey& warm);
  bool publish_warm(const WarmKey& warm, const Hash256& key);

  /// Held while one process builds a key. Without a usable directory, or after the bounded wait,
  /// the lock is empty and the caller builds all the same.
  FileLock lock(const Hash256& key);

  bool usable() const;
  const CacheOptions& options() const { return options_; }
  Counters& counters() { return counters_; }
  const Counters& counters() const { return counters_; }

 private:
  void warn_once(const std::string& text);
  void note_publish_failure(const std::string& what);
  void collect_now_and_then();

  CacheOptions options_;
  Counters counters_;
  std::unique_ptr<Store> store_;
  std::vector<std::unique_ptr<Store>> seeds_;
  std::mutex warn_mutex_;
  bool warned_ = false;
  std::atomic<int> publish_failures_{0};
  std::atomic<std::int64_t> next_collect_{0};
};

}  // namespace barline::runtime
