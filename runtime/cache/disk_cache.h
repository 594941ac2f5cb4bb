// SPDX-License-Identifier: Apache-2.0
// The cache directory: one checked file an entry, published atomically, shared by processes that
// know nothing of each other. Every failure here is a miss or a warning, never an error of the
// compile.
//
//   CACHEDIR.TAG
//   v1/ab/<62 hex>.blc       entries, by the hash of their key
//   v1/warm/ab/<62 hex>.blw  warm keys, each with the key of the entry it leads to
//   v1/tmp/  v1/locks/  v1/bad/
#pragma once
#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/cache/counters.h"
#include "runtime/cache/entry.h"
#include "runtime/cache/lock.h"
#include "runtime/cache/options.h"
#include "runtime/cache/store.h"

namespace barline::runtime {

enum class Source { Memory, Disk, Seed, Built, Pack };

struct Found {
  std::shared_ptr<const Entry> entry;
  Source source = Source::Disk;
  explicit operator bool() const { return entry != nullptr; }
};

/// All members may be called from any thread.
class DiskCache {
 public:
  /// Throws nothing that the file system does: an unusable directory means memory only, one
  /// warning.
  explicit DiskCache(CacheOptions options);

  /// The entry of a key hash, from the directory or a seed; a bad file is moved aside.
  Found find(const Hash256& key);

  /// Writes an entry; a file that is already there wins. False when it could not be written.
  bool publish(const Hash256& key, const Entry& entry);

  /// The entry key that a warm key leads to.
  std::optional<Hash256> find_warm(const WarmKey& warm);
  bool publish_warm(const WarmKey& warm, const Hash256& entry);

  /// Held while one process builds a key. Without a usable directory, or after the bounded wait,
  /// the lock is not held and the caller builds all the same.
  FileLock lock(const Hash256& key);

  /// The writable directory, for the functions of maintain.h; null in memory-only mode.
  const Store* store() const { return store_.get(); }
  const CacheOptions& options() const { return options_; }
  Counters& counters() { return counters_; }
  const Counters& counters() const { return counters_; }

 private:
  enum Warning : unsigned { Unusable = 1, BadSeed = 2, NoAccess = 4, BadFile = 8 };

  void warn_once(Warning kind, const std::string& text);
  void note_bad(const Store& store, const std::string& name, std::uint64_t inode,
                const std::string& problem);
  bool readable(const Store& store, const std::string& name, const ReadFile& file);
  std::shared_ptr<const Entry> read_entry(const Store& store, const Hash256& key);
  std::optional<Hash256> read_warm(const Store& store, const WarmKey& warm);
  bool write(const std::string& name, const std::vector<std::byte>& bytes,
             Store::IfPresent present);
  void collect_now_and_then();

  CacheOptions options_;
  Counters counters_;
  std::unique_ptr<Store> store_;
  std::vector<std::unique_ptr<Store>> seeds_;
  std::atomic<unsigned> warned_{0};
  std::atomic<int> write_failures_{0};
  std::atomic<std::int64_t> next_collect_{0};
};

}  // namespace barline::runtime
