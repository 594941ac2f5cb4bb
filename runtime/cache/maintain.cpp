// SPDX-License-Identifier: Apache-2.0
// Looking over a cache directory: counting, listing, checking, clearing, and finding the nearest
// key.
#include "runtime/cache/maintain.h"

#include <algorithm>

#include "runtime/cache/names_p.h"
#include "runtime/cache/walk_p.h"
#include "runtime/cache/warm_file.h"

namespace barline::runtime {
namespace {

/// Why the entry file must not be used; empty when it is good, with `out` set.
std::string check_entry(const Store& store, const CacheFile& file, Entry& out) {
  const ReadFile read = store.read(file.name, max_entry_bytes);
  if (read.status != ReadStatus::Ok) {
    return read.status == ReadStatus::Missing ? "it went away" : read.why.text();
  }
  ParsedEntry parsed = parse_entry(read.bytes);
  if (!parsed) return parsed.problem;
  if (parsed.entry->key.hash() != file.key) return "it is stored under another entry's key";
  std::string problem =
      parsed.entry->cubin.empty() ? std::string() : cubin_problem(parsed.entry->cubin);
  out = std::move(*parsed.entry);
  return problem;
}

std::string check_warm(const Store& store, const CacheFile& file) {
  const ReadFile read = store.read(file.name, max_warm_bytes);
  if (read.status != ReadStatus::Ok) {
    return read.status == ReadStatus::Missing ? "it went away" : read.why.text();
  }
  const auto parsed = parse_warm(read.bytes);
  if (!parsed) return "the content does not match its hash";
  return parsed->warm.hash() == file.key ? "" : "it is stored under another key";
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
    Entry entry;
    EntryInfo info{file.key, file.bytes, file.used_ns / 1'000'000'000, {}, {}};
    info.problem = check_entry(store, file, entry);
    if (info.problem.empty()) info.metadata = std::move(entry.metadata);
    list.push_back(std::move(info));
  }
  std::ranges::stable_sort(list, [](const auto& a, const auto& b) { return a.used > b.used; });
  return list;
}

VerifyReport cache_verify(const Store& store, bool repair) {
  VerifyReport report;
  for (const CacheFile& file : walk(store)) {
    if (file.kind != FileKind::Entry && file.kind != FileKind::Warm) continue;
    Entry entry;
    std::string problem =
        file.kind == FileKind::Entry ? check_entry(store, file, entry) : check_warm(store, file);
    if (problem.empty()) {
      ++report.good;
      continue;
    }
    if (repair) store.quarantine(file.name);
    report.bad.emplace_back(file.name, std::move(problem));
  }
  return report;
}

std::uint64_t cache_clear(const Store& store) {
  std::uint64_t removed = 0;
  for (const CacheFile& file : walk(store)) removed += remove_unchanged(store, file) ? 1 : 0;
  return removed;
}

std::optional<Nearest> cache_nearest(const Store& store, const KeyRecord& key) {
  std::optional<Nearest> nearest;
  for (const CacheFile& file : walk(store)) {
    Entry entry;
    if (file.kind != FileKind::Entry || !check_entry(store, file, entry).empty()) continue;
    std::vector<std::string> differing = key.differing(entry.key);
    if (!nearest || differing.size() < nearest->differing.size()) {
      nearest = Nearest{file.key, std::move(differing)};
    }
  }
  return nearest;
}

}  // namespace barline::runtime
