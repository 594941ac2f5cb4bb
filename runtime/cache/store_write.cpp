// SPDX-License-Identifier: Apache-2.0
// Publishing. The temporary stands beside its target (one file system), is synced before it gets
// its name, and takes that name in one step that never replaces another's file.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>

#include <cerrno>
#include <cstdio>

#include "runtime/cache/store.h"

namespace barline::runtime {
namespace {

IoResult from_errno() { return {errno, {}}; }

/// Random, so that processes of several hosts or PID namespaces meet no other's name. getentropy
/// needs no file descriptor; should it fail, O_EXCL still tells.
std::string temp_name() {
  std::uint64_t random = 0;
  if (::getentropy(&random, sizeof random) != 0) random = reinterpret_cast<std::uintptr_t>(&random);
  return fmt::format("tmp/{}.{:016x}", ::getpid(), random);
}

IoResult write_all(int fd, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t done = ::write(fd, bytes.data(), bytes.size());
    if (done < 0 && errno == EINTR) continue;
    if (done < 0) return from_errno();
    if (done == 0) return {ENOSPC, {}};  // no error and no progress: asking on would never end
    bytes = bytes.subspan(static_cast<std::size_t>(done));
  }
  return {};
}

/// 0, or errno.
int put_in_place(int from, const char* temp, int to, const char* name, bool keep) {
  if (keep) {
    if (::renameat2(from, temp, to, name, RENAME_NOREPLACE) == 0) return 0;
    if (errno != EINVAL && errno != ENOSYS) return errno;
    // The file system cannot do it: replacing an entry by one of the same key is as good.
  }
  return ::renameat(from, temp, to, name) == 0 ? 0 : errno;
}

}  // namespace

IoResult Store::publish(const std::string& name, std::span<const std::byte> bytes,
                        IfPresent if_present) {
  if (kind_ == Kind::Seed) return {EROFS, {}};
  auto at = root();
  if (!at) return status_.ok() ? IoResult{ENOENT, {}} : status_;
  IoResult result = publish_once(at->get(), name, bytes, if_present);
  // Someone removed the tree, or took the temporary for a dead process's. Not again and again.
  for (int again = 0; again < 3 && result.error == ENOENT; ++again) {
    if (IoResult opened = open_root(); !opened.ok()) return opened;
    result = publish_once(root()->get(), name, bytes, if_present);
  }
  return result;
}

IoResult Store::publish_once(int root, const std::string& name, std::span<const std::byte> bytes,
                             IfPresent if_present) const {
  const Place temp = find_place(root, temp_name());
  if (!temp.dir.valid()) return temp.why;
  const Place target = make_place(root, name);
  if (!target.dir.valid()) return target.why;
  Fd file(::openat(temp.dir.get(), temp.base.c_str(),
                   O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, file_mode()));
  if (!file.valid()) return from_errno();
  // Says that its writer lives, for as long as it does: what is not locked is garbage. Where this
  // fails the temporary may be collected under us; publish() then tries once more.
  ::flock(file.get(), LOCK_EX | LOCK_NB);
  ::fchmod(file.get(), file_mode());  // whatever the umask took away
  IoResult result = write_all(file.get(), bytes);
  if (result.ok() && ::fsync(file.get()) != 0) result = from_errno();
  if (result.ok()) {
    result.error = put_in_place(temp.dir.get(), temp.base.c_str(), target.dir.get(),
                                target.base.c_str(), if_present == IfPresent::Keep);
  }
  if (!result.ok()) ::unlinkat(temp.dir.get(), temp.base.c_str(), 0);
  if (result.error == EEXIST) result.error = 0;
  return result;
}

void Store::quarantine(const std::string& name, std::uint64_t inode) const {
  const auto at = root();
  if (!at || kind_ == Kind::Seed) return;
  const Place from = find_place(at->get(), name);
  if (!from.dir.valid()) return;
  struct ::stat info {};
  if (inode != 0 &&
      (::fstatat(from.dir.get(), from.base.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0 ||
       info.st_ino != inode)) {
    return;
  }
  std::string flat = name;
  for (char& c : flat) c = c == '/' ? '_' : c;
  const Place to = find_place(at->get(), "bad/" + flat);
  if (to.dir.valid() &&
      ::renameat(from.dir.get(), from.base.c_str(), to.dir.get(), to.base.c_str()) == 0) {
    return;
  }
  ::unlinkat(from.dir.get(), from.base.c_str(),
             0);  // where it is, no good file could take its name
}

void Store::touch(const std::string& name) const {
  const auto at = root();
  if (!at || kind_ == Kind::Seed) return;
  const Place place = find_place(at->get(), name);
  if (!place.dir.valid()) return;
  ::utimensat(place.dir.get(), place.base.c_str(), nullptr, AT_SYMLINK_NOFOLLOW);
}

}  // namespace barline::runtime
