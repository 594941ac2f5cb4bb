// SPDX-License-Identifier: Apache-2.0
// Finding and publishing entries. What comes off the disk is believed only when its own hash, its
// stored key and the bounds of its cubin agree.
#include "runtime/cache/disk_cache.h"

#include <fmt/format.h>

#include <chrono>
#include <stdexcept>

#include "runtime/cache/maintain.h"
#include "runtime/cache/names_p.h"
#include "runtime/cache/warm_file.h"

namespace barline::runtime {
namespace {

constexpr int writes_off_after = 3;            // failures; then this process stops trying
constexpr std::int64_t touch_interval = 3600;  // seconds
constexpr std::chrono::minutes collect_interval{20};

std::int64_t now_seconds() {
  using namespace std::chrono;
  return duration_cast<seconds>(system_clock::now().time_since_epoch()).count();
}

}  // namespace

DiskCache::DiskCache(CacheOptions options) : options_(std::move(options)) {
  if (options_.mode == CacheMode::Off) return;
  if (!options_.dir.empty()) {
    auto store = std::make_unique<Store>(options_.dir, options_.mode, Store::Kind::Writable);
    if (store->status().ok()) {
      store_ = std::move(store);
    } else {
      warn_once(Unusable,
                fmt::format("the kernel cache '{}' cannot be used: {}. Kernels are compiled "
                            "and kept in memory only.",
                            options_.dir.string(), store->status().text()));
    }
  }
  for (const auto& dir : options_.seeds) {
    auto seed = std::make_unique<Store>(dir, options_.mode, Store::Kind::Seed);
    if (seed->status().ok()) {
      seeds_.push_back(std::move(seed));
    } else {
      warn_once(BadSeed, fmt::format("the seed cache '{}' cannot be used: {}", dir.string(),
                                     seed->status().text()));
    }
  }
}

void DiskCache::warn_once(Warning kind, const std::string& text) {
  if ((warned_.fetch_or(kind) & kind) == 0 && options_.warn) options_.warn(text);
}

void DiskCache::note_bad(const Store& store, const std::string& name, std::uint64_t inode,
                         const std::string& problem) {
  ++counters_.bad_entry;
  store.quarantine(name, inode);
  warn_once(BadFile,
            fmt::format(
                "a bad kernel cache file was set aside and its kernel is built again: {}/v1/{}: {}",
                store.dir().string(), name, problem));
}

/// True when there are bytes to look at. A file that is not there needs no word, one that cannot be
/// had does: its kernel is built again in every process.
bool DiskCache::readable(const Store& store, const std::string& name, const ReadFile& file) {
  if (file.status == ReadStatus::Untrusted) note_bad(store, name, file.inode, file.why.text());
  if (file.status == ReadStatus::Failed) {
    warn_once(NoAccess, fmt::format("the kernel cache '{}' cannot be read: {}. Its kernels are "
                                    "compiled again and work all the same.",
                                    store.dir().string(), file.why.text()));
  }
  return file.status == ReadStatus::Ok;
}

std::shared_ptr<const Entry> DiskCache::read_entry(const Store& store, const Hash256& key) {
  const std::string name = entry_name(key);
  const ReadFile file = store.read(name, max_entry_bytes);
  if (!readable(store, name, file)) return nullptr;
  ParsedEntry parsed = parse_entry(file.bytes);
  std::string problem = parsed ? entry_problem(*parsed.entry, key) : std::move(parsed.problem);
  if (!problem.empty()) {
    note_bad(store, name, file.inode, problem);
    return nullptr;
  }
  if (now_seconds() - file.used > touch_interval) store.touch(name);
  return std::make_shared<const Entry>(std::move(*parsed.entry));
}

Found DiskCache::find(const Hash256& key) {
  if (store_) {
    if (auto entry = read_entry(*store_, key)) {
      ++counters_.disk_hit;
      return {std::move(entry), Source::Disk};
    }
  }
  for (const auto& seed : seeds_) {
    if (auto entry = read_entry(*seed, key)) {
      ++counters_.seed_hit;
      return {std::move(entry), Source::Seed};
    }
  }
  return {};
}

std::optional<Hash256> DiskCache::read_warm(const Store& store, const WarmKey& warm) {
  const std::string name = warm_name(warm.hash());
  const ReadFile file = store.read(name, max_warm_bytes);
  if (!readable(store, name, file)) return std::nullopt;
  const auto parsed = parse_warm(file.bytes);
  if (!parsed || parsed->warm != warm.record()) {
    note_bad(store, name, file.inode,
             parsed ? "it is stored under another key" : "the content does not match its hash");
    return std::nullopt;
  }
  if (now_seconds() - file.used > touch_interval) store.touch(name);
  return parsed->entry;
}

std::optional<Hash256> DiskCache::find_warm(const WarmKey& warm) {
  if (store_) {
    if (auto key = read_warm(*store_, warm)) return key;
  }
  for (const auto& seed : seeds_) {
    if (auto key = read_warm(*seed, warm)) return key;
  }
  return std::nullopt;
}

bool DiskCache::write(const std::string& name, const std::vector<std::byte>& bytes,
                      Store::IfPresent present) {
  if (!store_ || write_failures_.load() >= writes_off_after) return false;
  const IoResult result = store_->publish(name, bytes, present);
  if (result.ok()) return true;
  ++write_failures_;
  ++counters_.publish_fail;
  warn_once(NoAccess,
            fmt::format("the kernel cache '{}' cannot be written: {}. The kernel is in use "
                        "all the same; the next process compiles it again.",
                        store_->dir().string(), result.text()));
  return false;
}

bool DiskCache::publish(const Hash256& key, const Entry& entry) {
  if (!store_ || write_failures_.load() >= writes_off_after) return false;
  std::vector<std::byte> bytes;
  try {
    bytes = serialize_entry(entry);
  } catch (const std::exception& error) {  // too large, or metadata that cannot be told apart
    ++counters_.publish_fail;
    warn_once(NoAccess, fmt::format("a kernel is not cached: {}", error.what()));
    return false;
  }
  const bool written = write(entry_name(key), bytes, Store::IfPresent::Keep);
  if (written) collect_now_and_then();
  return written;
}

bool DiskCache::publish_warm(const WarmKey& warm, const Hash256& entry) {
  if (!store_) return false;
  return write(warm_name(warm.hash()), serialize_warm({warm.record(), entry}),
               Store::IfPresent::Replace);
}

FileLock DiskCache::lock(const Hash256& key) {
  if (!store_) return {};
  FileLock lock = FileLock::acquire(store_->open_lock(lock_name(key)), options_.lock_wait);
  if (lock.waited().count() > 0) {
    ++counters_.lock_wait;
    counters_.lock_wait_ms += static_cast<std::uint64_t>(lock.waited().count());
  }
  if (lock.timed_out()) ++counters_.lock_timeout;
  return lock;
}

void DiskCache::collect_now_and_then() {
  using namespace std::chrono;
  const std::int64_t now = steady_clock::now().time_since_epoch().count();
  std::int64_t due = next_collect_.load();
  const std::int64_t next = now + duration_cast<steady_clock::duration>(collect_interval).count();
  if (now < due || !next_collect_.compare_exchange_strong(due, next)) return;
  cache_collect_if_due(*store_, options_.max_bytes, options_.max_files, collect_interval);
}

}  // namespace barline::runtime
