// SPDX-License-Identifier: Apache-2.0
// Looking over a cache directory: counting, listing, checking, clearing, and finding the nearest
// key.
#include "runtime/cache/maintain.h"

#include <algorithm>
#include <tuple>

#include "runtime/cache/names_p.h"
#include "runtime/cache/walk_p.h"
#include "runtime/cache/warm_file.h"

namespace barline::runtime {
namespace {

/// Bytes of both that are left when what they share at either end is taken away.
std::size_t bytes_apart(std::string_view a, std::string_view b) {
  const std::size_t shorter = std::min(a.size(), b.size());
  std::size_t front = 0, back = 0;
  while (front < shorter && a[front] == b[front]) ++front;
  while (back < shorter - front && a[a.size() - 1 - back] == b[b.size() - 1 - back]) ++back;
  return a.size() + b.size() - 2 * (front + back);
}

/// Why a listed file must not be used, and whether it is still there: others evict meanwhile.
struct Check {
  bool there = true;
  std::string problem;
};

Check check_warm(const Store& store, const CacheFile& file) {
  const ReadFile read = store.read(file.name, max_warm_bytes);
  if (read.status == ReadStatus::Missing) return {false, {}};
  if (read.status != ReadStatus::Ok) return {true, read.why.text()};
  const auto parsed = parse_warm(read.bytes);
  if (!parsed) return {true, "the content does not match its hash"};
  return {true, warm_hash(parsed->warm) == file.key ? "" : "it is stored under another key"};
}

ParsedEntry parse_under(const ReadFile& read, const Hash256& key) {
  if (read.status != ReadStatus::Ok) return {std::nullopt, read.why.text()};
  ParsedEntry parsed = parse_entry(read.bytes);
  if (parsed) parsed.problem = entry_problem(*parsed.entry, key);
  if (!parsed.problem.empty()) parsed.entry.reset();
  return parsed;
}

Check check_entry(const Store& store, const CacheFile& file) {
  const ReadFile read = store.read(file.name, max_entry_bytes);
  if (read.status == ReadStatus::Missing) return {false, {}};
  return {true, parse_under(read, file.key).problem};
}

}  // namespace

CacheStat cache_stat(const Store& store) {
  CacheStat stat;
  for (const CacheFile& file : walk(store)) {
    switch (file.kind) {
      case FileKind::Entry:
        ++stat.entries;
        stat.entry_bytes += file.bytes;
        break;
      case FileKind::Warm:
        ++stat.warm_keys;
        stat.warm_bytes += file.bytes;
        break;
      case FileKind::Temp: ++stat.temps; break;
      case FileKind::Bad: ++stat.bad; break;
    }
  }
  stat.network = store.on_network();
  return stat;
}

std::vector<EntryInfo> cache_list(const Store& store) {
  std::vector<EntryInfo> list;
  for (const CacheFile& file : walk(store)) {
    if (file.kind != FileKind::Entry) continue;
    const ReadFile read = store.read(file.name, max_entry_bytes);
    if (read.status == ReadStatus::Missing) continue;
    ParsedEntry parsed = parse_under(read, file.key);
    EntryInfo info{
        file.key, file.bytes, file.used_ns / 1'000'000'000, {}, std::move(parsed.problem)};
    if (parsed) info.metadata = std::move(parsed.entry->metadata);
    list.push_back(std::move(info));
  }
  std::ranges::stable_sort(list, [](const auto& a, const auto& b) { return a.used > b.used; });
  return list;
}

VerifyReport cache_verify(const Store& store, bool repair) {
  VerifyReport report;
  for (const CacheFile& file : walk(store)) {
    if (file.kind != FileKind::Entry && file.kind != FileKind::Warm) continue;
    Check check = file.kind == FileKind::Entry ? check_entry(store, file) : check_warm(store, file);
    if (!check.there) continue;
    if (check.problem.empty()) {
      ++report.good;
      continue;
    }
    if (repair) store.quarantine(file.name, file.inode);
    report.bad.emplace_back(file.name, std::move(check.problem));
  }
  return report;
}

std::uint64_t cache_clear(const Store& store) {
  std::uint64_t removed = 0;
  const Remover remover(store);
  for (const CacheFile& file : walk(store)) {
    if (file.kind == FileKind::Temp && !abandoned(store, file, temp_age)) continue;
    removed += remover.remove_unchanged(file) ? 1 : 0;
  }
  return removed;
}

std::vector<Hash256> cache_keys(const Store& store, std::string_view prefix) {
  std::vector<Hash256> keys;
  for (const CacheFile& file : walk(store)) {
    if (file.kind == FileKind::Entry && file.key.hex().starts_with(prefix)) {
      keys.push_back(file.key);
    }
  }
  return keys;
}

ParsedEntry cache_read(const Store& store, const Hash256& key) {
  const ReadFile read = store.read(entry_name(key), max_entry_bytes);
  if (read.status == ReadStatus::Missing) return {std::nullopt, "it went away"};
  return parse_under(read, key);
}

std::optional<Nearest> cache_nearest(const Store& store, const KeyRecord& key,
                                     std::string_view kernel) {
  std::optional<Nearest> nearest;
  std::tuple<bool, std::size_t, std::size_t> least;
  for (const CacheFile& file : walk(store)) {
    if (file.kind != FileKind::Entry) continue;
    ParsedEntry read = cache_read(store, file.key);
    if (!read) continue;
    std::vector<std::string> differing = key.differing(read.entry->key);
    std::size_t apart = 0;
    for (const std::string& name : differing)
      apart += bytes_apart(key.value(name), read.entry->key.value(name));
    const std::tuple distance{read.entry->metadata.kernel != kernel, differing.size(), apart};
    if (nearest && least <= distance) continue;
    least = distance;
    nearest = Nearest{file.key, std::move(read.entry->key), std::move(differing)};
  }
  return nearest;
}

}  // namespace barline::runtime
