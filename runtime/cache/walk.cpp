// SPDX-License-Identifier: Apache-2.0
// Walking the directory by open descriptors.
#include <dirent.h>
#include <fcntl.h>

#include <algorithm>
#include <functional>
#include <memory>

#include "runtime/cache/key.h"
#include "runtime/cache/lock.h"
#include "runtime/cache/names_p.h"
#include "runtime/cache/walk_p.h"

namespace barline::runtime {
namespace {

std::int64_t nanoseconds(const struct timespec& time) {
  return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

/// Calls `visit(name, stat)` for what stands in one directory, in no order.
void each_file(const Store& store, const std::string& dir,
               const std::function<void(const char*, const struct ::stat&)>& visit) {
  Fd fd = store.open_dir(dir);
  if (!fd.valid()) return;
  const std::unique_ptr<DIR, int (*)(DIR*)> stream(::fdopendir(fd.get()), ::closedir);
  if (!stream) return;
  fd.release();  // the stream closes it
  while (const dirent* item = ::readdir(stream.get())) {
    struct ::stat info {};
    if (item->d_name[0] != '.' &&
        ::fstatat(::dirfd(stream.get()), item->d_name, &info, AT_SYMLINK_NOFOLLOW) == 0) {
      visit(item->d_name, info);
    }
  }
}

CacheFile describe(FileKind kind, std::string name, const Hash256& key, const struct ::stat& info) {
  return {kind,
          std::move(name),
          key,
          static_cast<std::uint64_t>(info.st_size),
          nanoseconds(info.st_mtim),
          info.st_ino};
}

void add_shards(const Store& store, const std::string& prefix, std::string_view suffix,
                FileKind kind, std::vector<CacheFile>& files) {
  std::vector<std::string> shards;
  each_file(store, prefix.empty() ? "." : prefix, [&](const char* name, const struct ::stat& info) {
    if (S_ISDIR(info.st_mode) && is_shard(name)) shards.emplace_back(name);
  });
  for (const std::string& shard : shards) {
    const std::string dir = prefix.empty() ? shard : prefix + "/" + shard;
    each_file(store, dir, [&](const char* name, const struct ::stat& info) {
      const auto key = key_of(shard, name, suffix);
      if (key && !S_ISDIR(info.st_mode))
        files.push_back(describe(kind, dir + "/" + name, *key, info));
    });
  }
}

void add_plain(const Store& store, const std::string& dir, FileKind kind,
               std::vector<CacheFile>& files) {
  each_file(store, dir, [&](const char* name, const struct ::stat& info) {
    if (!S_ISDIR(info.st_mode)) files.push_back(describe(kind, dir + "/" + name, {}, info));
  });
}

}  // namespace

std::vector<CacheFile> walk(const Store& store) {
  std::vector<CacheFile> files;
  add_shards(store, "", entry_suffix, FileKind::Entry, files);
  add_shards(store, "warm", warm_suffix, FileKind::Warm, files);
  add_plain(store, "tmp", FileKind::Temp, files);
  add_plain(store, "bad", FileKind::Bad, files);
  return files;
}

std::vector<CacheFile> walk_warm(const Store& store, const Hash256& name) {
  std::vector<CacheFile> files;
  const std::string shard = name.hex().substr(0, 2);
  each_file(store, "warm/" + shard, [&](const char* file, const struct ::stat& info) {
    const auto key = key_of(shard, file, warm_suffix);
    if (key && !S_ISDIR(info.st_mode) &&
        std::equal(name.bytes.begin(), name.bytes.begin() + name_bytes, key->bytes.begin()))
      files.push_back(describe(FileKind::Warm, "warm/" + shard + "/" + file, *key, info));
  });
  return files;
}

std::int64_t before(std::chrono::seconds age) {
  const auto then = std::chrono::system_clock::now() - age;
  return std::chrono::duration_cast<std::chrono::nanoseconds>(then.time_since_epoch()).count();
}

bool abandoned(const Store& store, const CacheFile& temp, std::chrono::seconds age) {
  if (temp.used_ns <= before(age)) return true;
  if (store.on_network()) return false;
  return FileLock::acquire(store.open_file(temp.name), std::chrono::milliseconds(0)).held();
}

bool Remover::remove_unchanged(const CacheFile& file) const {
  struct ::stat info {};
  const int root = root_.get();
  if (!root_.valid() || ::fstatat(root, file.name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) {
    return false;
  }
  const bool same = info.st_ino == file.inode && nanoseconds(info.st_mtim) == file.used_ns &&
                    static_cast<std::uint64_t>(info.st_size) == file.bytes;
  return same && ::unlinkat(root, file.name.c_str(), 0) == 0;
}

}  // namespace barline::runtime
