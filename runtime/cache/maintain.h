// SPDX-License-Identifier: Apache-2.0
// Care of a cache directory: what `barline cache` does. Only files with our names and our magic are
// ever removed.
#pragma once
#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "runtime/cache/entry.h"
#include "runtime/cache/options.h"
#include "runtime/cache/store.h"

namespace barline::runtime {

struct CacheStat {
  std::uint64_t entries = 0, entry_bytes = 0;
  std::uint64_t warm_keys = 0, warm_bytes = 0;
  std::uint64_t temps = 0, bad = 0;
  bool network = false;
};
CacheStat cache_stat(const Store& store);

struct EntryInfo {
  Hash256 key;
  std::uint64_t bytes = 0;
  std::int64_t used = 0;  ///< seconds since the epoch
  Metadata metadata;
  std::string problem;  ///< set when the file fails a check; metadata is then empty
};
/// Every entry, most recently used first. Reads and checks each file; moves none.
std::vector<EntryInfo> cache_list(const Store& store);

struct VerifyReport {
  std::uint64_t good = 0;
  std::vector<std::pair<std::string, std::string>> bad;  ///< file name, problem
};
/// Checks every entry and warm key; moves bad files aside when `repair`.
VerifyReport cache_verify(const Store& store, bool repair);

/// Temporaries above this age are nobody's, whatever their locks say.
inline constexpr std::chrono::seconds temp_age = std::chrono::hours(1);

/// Files removed: all but the temporaries of living writers.
std::uint64_t cache_clear(const Store& store);

struct CollectReport {
  std::uint64_t removed = 0, removed_bytes = 0;  ///< entries and warm keys, least recent first
  std::uint64_t kept = 0, kept_bytes = 0;
  std::uint64_t temps = 0;  ///< temporaries whose writer died
  std::uint64_t bad = 0;    ///< files set aside over a week ago
};
/// Removes the least recently used files down to 80 % of the caps once a cap is passed, and
/// temporaries whose writer died or that are older than `age`.
CollectReport cache_collect(const Store& store, std::uint64_t max_bytes, std::uint64_t max_files,
                            std::chrono::seconds age = temp_age);

/// The same, unless another process did it within `interval` or is doing it now.
void cache_collect_if_due(const Store& store, std::uint64_t max_bytes, std::uint64_t max_files,
                          std::chrono::seconds interval);

/// Keys of the entries whose hex form begins with `prefix`, in no order.
std::vector<Hash256> cache_keys(const Store& store, std::string_view prefix);

/// One entry, checked; moves nothing.
ParsedEntry cache_read(const Store& store, const Hash256& key);

/// The stored entry whose key is nearest to `key`: of the same `kernel` before others, then with
/// the fewest fields that differ, then with the fewest bytes that do.
struct Nearest {
  Hash256 hash;
  KeyRecord key;
  std::vector<std::string> differing;  ///< field names, as KeyRecord::differing gives them
};
std::optional<Nearest> cache_nearest(const Store& store, const KeyRecord& key,
                                     std::string_view kernel);

}  // namespace barline::runtime
