// SPDX-License-Identifier: Apache-2.0
// The cubin cache: whether it can be used, what is in it and what room is left.
#include <fmt/format.h>
#include <sys/statvfs.h>

#include <filesystem>

#include "runtime/cache/maintain.h"
#include "tools/doctor.h"

namespace barline::tools {
namespace {

constexpr std::uint64_t mib = 1 << 20;

/// The nearest folder that is there.
std::filesystem::path existing(std::filesystem::path dir) {
  std::error_code error;
  while (!std::filesystem::exists(dir, error) && dir.has_relative_path()) dir = dir.parent_path();
  return dir;
}

Check check_content(const runtime::Store& store) {
  Check c{.name = "cache health", .why = "bad entries are set aside and compiled again"};
  runtime::CacheStat stat = runtime::cache_stat(store);
  runtime::VerifyReport report = runtime::cache_verify(store, false);
  c.detail = fmt::format("{} entries, {:.1f} MiB, {} bad, {} set aside, {} temporaries",
                         stat.entries, static_cast<double>(stat.entry_bytes) / mib,
                         report.bad.size(), stat.bad, stat.temps);
  if (!report.bad.empty()) {
    c.health = Health::Warn;
    c.detail += fmt::format("; {}: {}", report.bad.front().first, report.bad.front().second);
    c.fix = "run `barline cache verify --repair`";
  } else if (stat.network) {
    c.health = Health::Warn;
    c.detail += "; on a network file system, where locks may not hold";
    c.fix = "put the cache on a local disk: --cache-dir DIR";
  }
  return c;
}

}  // namespace

void check_cache(const Context& context, Checks& out) {
  const runtime::CacheOptions& cache = context.runtime.cache;
  Check c{.name = "cache", .why = "a kernel that was compiled before loads in under a millisecond"};
  if (cache.mode == runtime::CacheMode::Off || cache.dir.empty()) {
    c.health = Health::Warn;
    c.detail = "off: every run compiles";
    c.fix = "set BARLINE_CACHE_DIR, or pass --cache-dir";
    out.push_back(c);
    return;
  }
  runtime::Store store(cache.dir, cache.mode, runtime::Store::Kind::Writable);
  c.detail = fmt::format("{} ({})", cache.dir.string(),
                         cache.mode == runtime::CacheMode::Shared ? "shared" : "private");
  if (!store.status().ok()) {
    c.health = Health::Warn;
    c.detail += ": " + store.status().text();
    c.fix = "make the folder yours and writable by you alone (chmod 700), or pass --cache-dir";
  }
  out.push_back(c);
  if (store.status().ok()) out.push_back(check_content(store));
  struct statvfs disk {};
  if (::statvfs(existing(cache.dir).c_str(), &disk) == 0) {
    out.push_back(judge_space(std::uint64_t{disk.f_bavail} * disk.f_frsize, cache.max_bytes,
                              cache.dir.string()));
  }
}

}  // namespace barline::tools
