// SPDX-License-Identifier: Apache-2.0
// Publishing. The temporary stands beside its target (one file system), is synced before it gets
// its name, and takes that name in one step that never replaces another's file.
#include <fcntl.h>
#include <fmt/format.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <random>

#include "runtime/cache/store.h"

namespace barline::runtime {
namespace {

IoResult from_errno() { return {errno, {}}; }

std::string temp_name() {
  std::random_device random;
  return fmt::format("tmp/{}.{:08x}{:08x}", ::getpid(), random(), random());
}

IoResult write_all(int fd, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t done = ::write(fd, bytes.data(), bytes.size());
    if (done < 0 && errno == EINTR) continue;
    if (done < 0) return from_errno();
    bytes = bytes.subspan(static_cast<std::size_t>(done));
  }
  return {};
}

/// close() may be the first to report a full quota or a lost server.
IoResult finish(Fd& fd) {
  if (::fsync(fd.get()) != 0) return from_errno();
  if (::close(fd.release()) != 0 && errno != EINTR) return from_errno();
  return {};
}

/// 0, or errno.
int put_in_place(int root, const std::string& temp, const std::string& name, bool keep) {
  if (keep) {
    if (::renameat2(root, temp.c_str(), root, name.c_str(), RENAME_NOREPLACE) == 0) return 0;
    if (errno != EINVAL && errno != ENOSYS) return errno;
    // The file system cannot do it: replacing an entry by one of the same key is as good.
  }
  return ::renameat(root, temp.c_str(), root, name.c_str()) == 0 ? 0 : errno;
}

std::string parent_of(const std::string& name) { return name.substr(0, name.rfind('/')); }

}  // namespace

IoResult Store::publish(const std::string& name, std::span<const std::byte> bytes,
                        IfPresent if_present) {
  if (kind_ == Kind::Seed) return {EROFS, {}};
  auto at = root();
  if (!at) return status_.ok() ? IoResult{ENOENT, {}} : status_;
  IoResult result = publish_once(at->get(), name, bytes, if_present);
  if (result.error == ENOENT) {  // someone removed the tree; make it again, once
    if (IoResult opened = open_root(); !opened.ok()) return opened;
    result = publish_once(root()->get(), name, bytes, if_present);
  }
  return result;
}

IoResult Store::publish_once(int root, const std::string& name, std::span<const std::byte> bytes,
                             IfPresent if_present) const {
  const std::string temp = temp_name();
  Fd file(::openat(root, temp.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
                   file_mode()));
  if (!file.valid()) return from_errno();
  ::fchmod(file.get(), file_mode());  // whatever the umask took away
  IoResult result = write_all(file.get(), bytes);
  if (result.ok()) result = finish(file);
  if (result.ok()) {
    const bool keep = if_present == IfPresent::Keep;
    result.error = put_in_place(root, temp, name, keep);
    if (result.error == ENOENT) {  // the first entry of its folder
      const std::string parent = parent_of(name);
      if (::mkdirat(root, parent.c_str(), dir_mode()) == 0) {
        ::fchmodat(root, parent.c_str(), dir_mode(), 0);
      }
      result.error = put_in_place(root, temp, name, keep);
    }
  }
  if (!result.ok()) ::unlinkat(root, temp.c_str(), 0);
  if (result.error == EEXIST) result.error = 0;
  return result;
}

void Store::quarantine(const std::string& name) const {
  const auto at = root();
  if (!at || kind_ == Kind::Seed) return;
  std::string flat = name;
  for (char& c : flat) c = c == '/' ? '_' : c;
  ::renameat(at->get(), name.c_str(), at->get(), ("bad/" + flat).c_str());
}

void Store::touch(const std::string& name) const {
  const auto at = root();
  if (at && kind_ == Kind::Writable) {
    ::utimensat(at->get(), name.c_str(), nullptr, AT_SYMLINK_NOFOLLOW);
  }
}

}  // namespace barline::runtime
