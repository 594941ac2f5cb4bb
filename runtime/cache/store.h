// SPDX-License-Identifier: Apache-2.0
// Files in one cache directory: opening with every trust check, atomic publishing, moving bad files
// aside. Knows names and bytes, nothing of what is in them.
#pragma once
#include <sys/stat.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "runtime/cache/fd.h"
#include "runtime/cache/options.h"

namespace barline::runtime {

/// The outcome of a file operation: an errno value, or a sentence where that says too little.
struct IoResult {
  int error = 0;
  std::string problem;

  bool ok() const { return error == 0 && problem.empty(); }
  std::string text() const;  ///< "ENOSPC (No space left on device)", or the sentence
};

enum class ReadStatus {
  Ok,
  Missing,
  Untrusted,  ///< there is something that must not be read: a link, another's file, a wrong mode
  Failed,     ///< the system said no; the file may be fine
};

struct ReadFile {
  ReadStatus status = ReadStatus::Missing;
  std::vector<std::byte> bytes;
  std::int64_t used = 0;    ///< modification time, seconds since the epoch
  std::uint64_t inode = 0;  ///< which file it was, for quarantine(); 0: not known
  IoResult why;             ///< when Untrusted or Failed
};

/// All members may be called from any thread.
class Store {
 public:
  enum class Kind { Writable, Seed };

  /// Opens `dir`/v1, creating it for a writable store. Throws nothing: ask status().
  Store(std::filesystem::path dir, CacheMode mode, Kind kind);

  const IoResult& status() const { return status_; }
  const std::filesystem::path& dir() const { return dir_; }

  /// Reads a file of v1, "ab/<62 hex>.blc", of at most `limit` bytes.
  ReadFile read(const std::string& name, std::size_t limit) const;

  enum class IfPresent { Keep, Replace };
  /// Writes a temporary, syncs it and puts it in place at once. With Keep, a file that is already
  /// there is success: someone else published the same key first.
  IoResult publish(const std::string& name, std::span<const std::byte> bytes, IfPresent if_present);

  /// Moves a bad file to v1/bad, or removes it, best effort. Not one that another process has put
  /// in its place since: `inode` is the bad file's, 0 stands for whatever is there.
  void quarantine(const std::string& name, std::uint64_t inode = 0) const;
  void touch(const std::string& name) const;  ///< marks a file as used now, best effort

  Fd open_lock(const std::string& name) const;  ///< invalid when it cannot be had
  Fd open_dir(const std::string& name) const;   ///< a directory of v1, "." for v1 itself
  Fd open_file(const std::string& name) const;  ///< to look at; invalid when it cannot be had

  /// True on NFS and its like, where locks are advisory at best.
  bool on_network() const;

 private:
  /// A folder of v1 and a name in it.
  struct Place {
    Fd dir;
    std::string base;
    IoResult why;  ///< when there is no dir
  };

  std::shared_ptr<const Fd> root() const;
  IoResult open_root();
  /// Each folder on the way is a directory, no link, and trusted as v1 is.
  Place find_place(int root, const std::string& name) const;
  Place make_place(int root, const std::string& name) const;
  static Fd open_in(const Place& place);
  IoResult check_dir(int fd, const std::string& shown) const;
  std::string distrust(const struct ::stat& file) const;
  void make_layout(int root) const;
  IoResult publish_once(int root, const std::string& name, std::span<const std::byte> bytes,
                        IfPresent if_present) const;
  unsigned dir_mode() const { return mode_ == CacheMode::Shared ? 02770 : 0700; }
  unsigned file_mode() const { return mode_ == CacheMode::Shared ? 0640 : 0600; }

  std::filesystem::path dir_;
  CacheMode mode_;
  Kind kind_;
  IoResult status_;
  mutable std::mutex mutex_;
  std::shared_ptr<const Fd> root_;  // of v1; reopened when the tree was removed under us
};

}  // namespace barline::runtime
