// SPDX-License-Identifier: Apache-2.0
// Keeping a cache directory below its caps: the least recently used files go first, down to 80 % so
// that the next publish does not start over.
#include <sys/stat.h>

#include <algorithm>

#include "runtime/cache/lock.h"
#include "runtime/cache/maintain.h"
#include "runtime/cache/walk_p.h"

namespace barline::runtime {
namespace {

constexpr std::chrono::seconds bad_age = std::chrono::hours(24 * 7);

std::uint64_t eighty_percent(std::uint64_t value) { return value - value / 5; }

}  // namespace

CollectReport cache_collect(const Store& store, std::uint64_t max_bytes, std::uint64_t max_files,
                            std::chrono::seconds age) {
  CollectReport report;
  const Remover remover(store);
  std::vector<CacheFile> kept;
  std::uint64_t bytes = 0;
  for (CacheFile& file : walk(store)) {
    if (file.kind == FileKind::Temp || file.kind == FileKind::Bad) {
      const bool temp = file.kind == FileKind::Temp;
      const bool done = temp ? abandoned(store, file, age) : file.used_ns <= before(bad_age);
      if (done && remover.remove_unchanged(file)) ++(temp ? report.temps : report.bad);
      continue;
    }
    bytes += file.bytes;
    kept.push_back(std::move(file));
  }
  report.kept = kept.size();
  report.kept_bytes = bytes;
  if (bytes <= max_bytes && kept.size() <= max_files) return report;

  std::ranges::sort(kept, {}, &CacheFile::used_ns);
  std::uint64_t files = kept.size();
  const std::uint64_t byte_target = bytes > max_bytes ? eighty_percent(max_bytes) : bytes;
  const std::uint64_t file_target = files > max_files ? eighty_percent(max_files) : files;
  for (const CacheFile& file : kept) {
    if (bytes <= byte_target && files <= file_target) break;
    if (!remover.remove_unchanged(file)) continue;
    bytes -= file.bytes;
    --files;
    ++report.removed;
    report.removed_bytes += file.bytes;
  }
  report.kept = files;
  report.kept_bytes = bytes;
  return report;
}

// The lock file's own time says when it was last done; a time in the future (a moved clock) counts
// as long ago.
void cache_collect_if_due(const Store& store, std::uint64_t max_bytes, std::uint64_t max_files,
                          std::chrono::seconds interval) {
  Fd file = store.open_lock("gc.lock");
  struct ::stat info {};
  if (!file.valid() || ::fstat(file.get(), &info) != 0) return;
  const std::int64_t done = std::int64_t{info.st_mtim.tv_sec} * 1'000'000'000;
  const bool stamped = info.st_size > 0;
  if (stamped && done <= before(std::chrono::seconds(0)) && done > before(interval)) return;
  const int fd = file.get();
  const FileLock lock = FileLock::acquire(std::move(file), std::chrono::milliseconds(0));
  if (!lock.held()) return;
  if (!stamped && ::write(fd, "1", 1) != 1) return;  // a first file's time says nothing yet
  ::futimens(fd, nullptr);
  cache_collect(store, max_bytes, max_files);
}

}  // namespace barline::runtime
