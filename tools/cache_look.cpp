// SPDX-License-Identifier: Apache-2.0
// `barline cache stat|list|verify`: looking at what is kept.
#include <fmt/chrono.h>
#include <fmt/format.h>

#include <filesystem>

#include "runtime/cache/maintain.h"
#include "tools/cache_actions.h"
#include "tools/error.h"

namespace barline::tools {
namespace {

using json = nlohmann::ordered_json;
using runtime::Store;

struct Seed {
  std::string dir, problem;  ///< problem: why it is not used
  runtime::CacheStat stat;
};

std::vector<Seed> look_at_seeds(const runtime::CacheOptions& cache) {
  std::vector<Seed> seeds;
  for (const std::filesystem::path& dir : cache.seeds) {
    Store store(dir, cache.mode, Store::Kind::Seed);
    Seed seed{dir.string(), {}, {}};
    if (store.status().ok()) {
      seed.stat = runtime::cache_stat(store);
    } else {
      seed.problem = store.status().text();
    }
    seeds.push_back(std::move(seed));
  }
  return seeds;
}

void print_stat_json(const runtime::CacheOptions& cache, const runtime::CacheStat& s) {
  json seeds = json::array();
  for (const Seed& seed : look_at_seeds(cache)) {
    json row = {{"dir", seed.dir}, {"entries", seed.stat.entries}};
    if (!seed.problem.empty()) row["problem"] = seed.problem;
    seeds.push_back(std::move(row));
  }
  print_json("cache_stat", {{"dir", cache.dir.string()},
                            {"entries", s.entries},
                            {"entry_bytes", s.entry_bytes},
                            {"warm_keys", s.warm_keys},
                            {"warm_bytes", s.warm_bytes},
                            {"temps", s.temps},
                            {"bad", s.bad},
                            {"network", s.network},
                            {"max_bytes", cache.max_bytes},
                            {"max_files", cache.max_files},
                            {"seeds", std::move(seeds)}});
}

json entry_json(const runtime::EntryInfo& e) {
  json out = {{"key", e.key.hex()}, {"bytes", e.bytes}, {"used", e.used}};
  if (!e.problem.empty()) {
    out["problem"] = e.problem;
    return out;
  }
  runtime::Metadata::fields(e.metadata,
                            [&](const char* name, const auto& value) { out[name] = value; });
  return out;
}

}  // namespace

std::string size_text(std::uint64_t bytes) {
  if (bytes >= 1 << 20) return fmt::format("{:.1f} MiB", static_cast<double>(bytes) / (1 << 20));
  if (bytes >= 1 << 10) return fmt::format("{:.1f} KiB", static_cast<double>(bytes) / (1 << 10));
  return fmt::format("{} B", bytes);
}

std::unique_ptr<Store> open_store(const Context& context) {
  const runtime::CacheOptions& cache = context.runtime.cache;
  if (cache.dir.empty()) {
    throw UsageError(
        "there is no cache folder; pass --cache-dir, or set BARLINE_CACHE_DIR or HOME");
  }
  std::error_code error;
  if (!std::filesystem::exists(cache.dir, error)) return {};
  auto store = std::make_unique<Store>(cache.dir, cache.mode, Store::Kind::Writable);
  if (!store->status().ok()) {
    throw IoError(
        fmt::format("cannot use the cache {}: {}", cache.dir.string(), store->status().text()));
  }
  return store;
}

ExitCode run_cache_stat(const Context& context) {
  std::unique_ptr<Store> store = open_store(context);
  runtime::CacheStat s = store ? runtime::cache_stat(*store) : runtime::CacheStat{};
  const runtime::CacheOptions& cache = context.runtime.cache;
  if (context.json) {
    print_stat_json(cache, s);
    return ExitCode::Ok;
  }
  std::string out = fmt::format(
      "folder     {}{}\nentries    {} ({} of {})\nwarm keys  {} ({})\nfiles      {} of {}\n"
      "temporary  {}\nset aside  {}\n",
      cache.dir.string(), s.network ? " (on a network: locks may not reach other hosts)" : "",
      s.entries, size_text(s.entry_bytes), size_text(cache.max_bytes), s.warm_keys,
      size_text(s.warm_bytes), s.entries + s.warm_keys, cache.max_files, s.temps, s.bad);
  for (const Seed& seed : look_at_seeds(cache)) {
    out += fmt::format("seed       {} ({})\n", seed.dir,
                       seed.problem.empty() ? fmt::format("{} entries", seed.stat.entries)
                                            : "not used: " + seed.problem);
  }
  print_out(out);
  return ExitCode::Ok;
}

ExitCode run_cache_list(const Context& context) {
  std::unique_ptr<Store> store = open_store(context);
  std::vector<runtime::EntryInfo> entries;
  if (store) entries = runtime::cache_list(*store);
  if (context.json) {
    json rows = json::array();
    for (const runtime::EntryInfo& e : entries) rows.push_back(entry_json(e));
    print_json("cache_list", {{"dir", context.runtime.cache.dir.string()}, {"entries", rows}});
    return ExitCode::Ok;
  }
  std::string out;
  for (const runtime::EntryInfo& e : entries) {
    const runtime::Metadata& m = e.metadata;
    std::string what = e.problem.empty() ? fmt::format("{}@{} {}", m.kernel, m.schedule, m.target)
                                         : "BAD: " + e.problem;
    out += fmt::format("{}  {:>10}  {:%Y-%m-%d %H:%M}  {}\n", e.key.hex().substr(0, 16),
                       size_text(e.bytes), fmt::gmtime(static_cast<std::time_t>(e.used)), what);
  }
  print_out(out);
  return ExitCode::Ok;
}

ExitCode run_cache_verify(const Context& context, bool repair) {
  std::unique_ptr<Store> store = open_store(context);
  runtime::VerifyReport report;
  if (store) report = runtime::cache_verify(*store, repair);
  if (context.json) {
    json bad = json::array();
    for (const auto& [file, problem] : report.bad) {
      bad.push_back({{"file", file}, {"problem", problem}});
    }
    print_json("cache_verify", {{"good", report.good}, {"bad", bad}, {"repaired", repair}});
  } else {
    std::string out;
    for (const auto& [file, problem] : report.bad) out += fmt::format("{}: {}\n", file, problem);
    out += fmt::format("{} good, {} bad{}\n", report.good, report.bad.size(),
                       repair && !report.bad.empty() ? ", set aside" : "");
    print_out(out);
  }
  return report.bad.empty() || repair ? ExitCode::Ok : ExitCode::Failed;
}

}  // namespace barline::tools
