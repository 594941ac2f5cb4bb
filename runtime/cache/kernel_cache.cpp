// SPDX-License-Identifier: Apache-2.0
// Single flight: the first thread to ask for a key works for all that ask meanwhile, and the first
// process to take the key's lock works for the others.
#include "runtime/cache/kernel_cache.h"

#include <fmt/format.h>

#include <exception>
#include <stdexcept>

namespace barline::runtime {

KernelCache::KernelCache(CacheOptions options) : disk_(std::move(options)) {}

std::shared_ptr<const Entry> KernelCache::in_memory(const Map& map, const Hash256& key) const {
  std::shared_lock guard(mutex_);
  const auto at = map.find(key);
  return at == map.end() ? nullptr : at->second;
}

void KernelCache::remember(const Hash256& hash, const std::optional<Hash256>& warm,
                           const EntryPtr& entry) {
  std::unique_lock guard(mutex_);
  entries_.emplace(hash, entry);
  if (warm) warm_entries_.insert_or_assign(*warm, entry);
}

Found KernelCache::lookup_warm(const WarmKey& warm) {
  const Hash256 warm_hash = warm.hash();
  if (EntryPtr entry = in_memory(warm_entries_, warm_hash)) {
    ++disk_.counters().mem_hit;
    return {std::move(entry), Source::Memory};
  }
  const auto key = disk_.find_warm(warm);
  if (!key) return {};
  if (EntryPtr entry = in_memory(entries_, *key)) {
    ++disk_.counters().mem_hit;
    remember(*key, warm_hash, entry);
    return {std::move(entry), Source::Memory};
  }
  Found found = disk_.find(*key);
  if (found) remember(*key, warm_hash, found.entry);
  return found;
}

Found KernelCache::find(const KeyRecord& key) {
  const Hash256 hash = key.hash();
  if (EntryPtr entry = in_memory(entries_, hash)) {
    ++disk_.counters().mem_hit;
    return {std::move(entry), Source::Memory};
  }
  Found found = disk_.find(hash);
  if (found) remember(hash, std::nullopt, found.entry);
  return found;
}

Found KernelCache::get_or_build(const KeyRecord& key, const WarmKey& warm, const Builder& builder) {
  const Hash256 hash = key.hash();
  const Hash256 warm_hash = warm.hash();
  std::promise<EntryPtr> promise;
  std::shared_future<EntryPtr> others;
  {
    std::lock_guard guard(flight_mutex_);
    // Under this mutex a key is either in memory, in flight, or ours.
    if (EntryPtr entry = in_memory(entries_, hash)) {
      ++disk_.counters().mem_hit;
      remember(hash, warm_hash, entry);
      return {std::move(entry), Source::Memory};
    }
    const auto [at, ours] = in_flight_.try_emplace(hash);
    if (ours) {
      at->second = promise.get_future().share();
    } else {
      others = at->second;
    }
  }
  if (others.valid()) {
    EntryPtr entry = others.get();  // rethrows the builder's exception
    ++disk_.counters().mem_hit;
    remember(hash, warm_hash, entry);
    return {std::move(entry), Source::Memory};
  }
  Found found;
  std::exception_ptr failure;
  try {
    found = load_or_build(hash, key, warm, builder);
    remember(hash, warm_hash, found.entry);
  } catch (...) {
    failure = std::current_exception();
  }
  {
    std::lock_guard guard(flight_mutex_);
    in_flight_.erase(hash);
  }
  if (failure) {
    promise.set_exception(failure);
    std::rethrow_exception(failure);
  }
  promise.set_value(found.entry);
  return found;
}

Found KernelCache::load_or_build(const Hash256& hash, const KeyRecord& key, const WarmKey& warm,
                                 const Builder& builder) {
  Found found = disk_.find(hash);
  if (!found) {
    const FileLock lock = disk_.lock(hash);
    found = disk_.find(hash);  // another process may have built it while we waited
    if (!found) {
      ++disk_.counters().miss;
      found = build(hash, key, builder);
    }
    // Published under the lock, so that who waits for it finds both files.
    publish_warm_if_new(warm, hash);
    return found;
  }
  publish_warm_if_new(warm, hash);
  return found;
}

void KernelCache::publish_warm_if_new(const WarmKey& warm, const Hash256& hash) {
  if (disk_.find_warm(warm) != hash) disk_.publish_warm(warm, hash);
}

Found KernelCache::build(const Hash256& hash, const KeyRecord& key, const Builder& builder) {
  ++disk_.counters().compile;
  if (warmed_up_.load()) ++disk_.counters().compile_after_warmup;
  Entry entry = builder();
  entry.key = key;
  // An assembler on a full disk says that all went well and leaves half a cubin.
  const std::string problem = entry.cubin.empty() ? std::string() : cubin_problem(entry.cubin);
  if (!problem.empty() || (entry.cubin.empty() && entry.ptx.empty())) {
    throw std::runtime_error(fmt::format(
        "kernel '{}' for {}: the assembler's output cannot be used: {}", entry.metadata.kernel,
        entry.metadata.target, problem.empty() ? "it is empty" : problem));
  }
  auto shared = std::make_shared<const Entry>(std::move(entry));
  disk_.publish(hash, *shared);
  return {std::move(shared), Source::Built};
}

}  // namespace barline::runtime
