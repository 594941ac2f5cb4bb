// SPDX-License-Identifier: Apache-2.0
// The cache as the compiler's front door sees it: memory, then disk, then one build for all who
// ask.
#pragma once
#include <functional>
#include <future>
#include <mutex>
#include <shared_mutex>
#include <unordered_map>

#include "runtime/cache/disk_cache.h"

namespace barline::runtime {

/// All members may be called from any thread.
class KernelCache {
 public:
  using Builder = std::function<Entry()>;

  explicit KernelCache(CacheOptions options);

  /// The entry that a warm key leads to, without IR and without LLVM; empty on a miss. Memory hits
  /// take well under a microsecond.
  Found lookup_warm(const WarmKey& warm);

  /// The entry of a content key, without building; empty on a miss.
  Found find(const KeyRecord& key);

  /// The entry of `key`; `builder` runs at most once at a time for a key, over threads and
  /// processes alike, and its exception reaches every thread that waits for it. Sets the entry's
  /// key, checks the cubin, publishes entry and warm key. A builder must not call get_or_build
  /// itself.
  Found get_or_build(const KeyRecord& key, const WarmKey& warm, const Builder& builder);

  /// From here on a build counts as compile_after_warmup.
  void mark_warmed_up() { warmed_up_.store(true); }

  DiskCache& disk() { return disk_; }
  const Counters& counters() const { return disk_.counters(); }

 private:
  using EntryPtr = std::shared_ptr<const Entry>;
  using Map = std::unordered_map<Hash256, EntryPtr>;

  EntryPtr in_memory(const Map& map, const Hash256& key) const;
  void remember(const Hash256& hash, const std::optional<Hash256>& warm, const EntryPtr& entry);
  Found load_or_build(const Hash256& hash, const KeyRecord& key, const WarmKey& warm,
                      const Builder& builder);
  Found build(const Hash256& hash, const KeyRecord& key, const Builder& builder);
  void publish_warm_if_new(const WarmKey& warm, const Hash256& hash);

  DiskCache disk_;
  std::atomic<bool> warmed_up_{false};
  mutable std::shared_mutex mutex_;
  Map entries_;       // by entry key
  Map warm_entries_;  // by warm key
  std::mutex flight_mutex_;
  std::unordered_map<Hash256, std::shared_future<EntryPtr>> in_flight_;
};

}  // namespace barline::runtime
