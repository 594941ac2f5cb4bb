// SPDX-License-Identifier: Apache-2.0
// Opening and reading. Names are resolved below one open directory and every check is made on the
// opened descriptor, so nothing can be swapped between a check and its use.
#include "runtime/cache/store.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/vfs.h>

#include <cerrno>
#include <cstring>

namespace barline::runtime {
namespace {

constexpr const char* version_dir = "v1";
constexpr std::string_view cachedir_tag =
    "Signature: 8a477f597d28d172789f06886806bc55\n"
    "# This directory holds compiled GPU kernels and may be deleted at any time.\n";

IoResult from_errno() { return {errno, {}}; }
IoResult sentence(std::string text) { return {0, std::move(text)}; }

/// 0, or errno. The mode is set again because the umask may have taken the group's share.
int make_dir(int at, const char* name, unsigned mode) {
  if (::mkdirat(at, name, mode) != 0) return errno;
  ::fchmodat(at, name, mode, 0);
  return 0;
}

/// Why a directory that was to be made is not there.
IoResult from_errno_or(int making) {
  return errno == ENOENT && making != 0 && making != EEXIST ? IoResult{making, {}} : from_errno();
}

}  // namespace

std::string IoResult::text() const {
  if (!problem.empty()) return problem;
  const char* name = strerrorname_np(error);
  return fmt::format("{} ({})", name != nullptr ? name : "errno", std::strerror(error));
}

Store::Store(std::filesystem::path dir, CacheMode mode, Kind kind)
    : dir_(std::move(dir)), mode_(mode), kind_(kind) {
  status_ = open_root();
}

std::shared_ptr<const Fd> Store::root() const {
  std::lock_guard guard(mutex_);
  return root_;
}

// The cache directory itself may be a link (home directories often are); what it leads to is
// checked. Below it no link is followed.
IoResult Store::open_root() {
  int making = 0;
  if (kind_ == Kind::Writable) {
    std::error_code parents;
    if (dir_.has_parent_path()) std::filesystem::create_directories(dir_.parent_path(), parents);
    making = make_dir(AT_FDCWD, dir_.c_str(), dir_mode());
    if (making == ENOENT && parents) making = parents.value();
  }
  const Fd top(::open(dir_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!top.valid()) return from_errno_or(making);
  if (IoResult bad = check_dir(top.get(), dir_.string()); !bad.ok()) return bad;
  if (kind_ == Kind::Writable) making = make_dir(top.get(), version_dir, dir_mode());
  Fd root(::openat(top.get(), version_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
  if (!root.valid()) return from_errno_or(making);
  if (IoResult bad = check_dir(root.get(), (dir_ / version_dir).string()); !bad.ok()) return bad;
  if (kind_ == Kind::Writable) {
    make_layout(root.get());
    const Fd tag(
        ::openat(top.get(), "CACHEDIR.TAG", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
    if (tag.valid() && ::write(tag.get(), cachedir_tag.data(), cachedir_tag.size()) < 0) {
      ::unlinkat(top.get(), "CACHEDIR.TAG", 0);  // only advice to backup tools
    }
  }
  std::lock_guard guard(mutex_);
  root_ = std::make_shared<const Fd>(std::move(root));
  return {};
}

void Store::make_layout(int root) const {
  for (const char* name : {"tmp", "locks", "bad", "warm"}) make_dir(root, name, dir_mode());
}

IoResult Store::check_dir(int fd, const std::string& shown) const {
  struct ::stat info {};
  if (::fstat(fd, &info) != 0) return from_errno();
  const bool own = info.st_uid == ::geteuid() || (kind_ == Kind::Seed && info.st_uid == 0);
  if (mode_ != CacheMode::Shared && !own) {
    return sentence(
        fmt::format("{} belongs to user {}, not to user {}; choose another directory with "
                    "BARLINE_CACHE_DIR, or set BARLINE_CACHE_MODE=shared",
                    shown, info.st_uid, ::geteuid()));
  }
  if (mode_ == CacheMode::Private && (info.st_mode & S_IWGRP) != 0) {
    return sentence(
        fmt::format("{} is writable by its group (mode {:04o}); run chmod g-w, or set "
                    "BARLINE_CACHE_MODE=shared",
                    shown, info.st_mode & 07777));
  }
  if ((info.st_mode & S_IWOTH) != 0) {
    return sentence(fmt::format("{} is writable by others (mode {:04o}); run chmod o-w", shown,
                                info.st_mode & 07777));
  }
  return {};
}

std::string Store::distrust(const struct ::stat& file) const {
  if (!S_ISREG(file.st_mode)) return "not a regular file";
  const bool own = file.st_uid == ::geteuid() || (kind_ == Kind::Seed && file.st_uid == 0);
  if (mode_ != CacheMode::Shared && !own) return fmt::format("belongs to user {}", file.st_uid);
  // None at all: evicted since it was opened, and as good as it was.
  if (kind_ == Kind::Writable && file.st_nlink > 1) return "has several names (hard links)";
  const unsigned writable_by_others = mode_ == CacheMode::Shared ? S_IWOTH : S_IWGRP | S_IWOTH;
  if ((file.st_mode & writable_by_others) != 0) {
    return fmt::format("is writable by others (mode {:04o})", file.st_mode & 07777);
  }
  return {};
}

Store::Place Store::find_place(int root, const std::string& name) const {
  Place place;
  int at = root;
  std::size_t start = 0;
  for (std::size_t slash; (slash = name.find('/', start)) != name.npos; start = slash + 1) {
    const std::string step = name.substr(start, slash - start);
    const std::string shown = (dir_ / version_dir / name.substr(0, slash)).string();
    Fd next(::openat(at, step.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
    if (next.valid()) {
      place.why = check_dir(next.get(), shown);
    } else if (errno == ENOTDIR || errno == ELOOP) {
      place.why = sentence(shown + " is a link or a file where a folder belongs; remove it");
    } else {
      place.why = from_errno();
    }
    if (!place.why.ok()) {
      place.dir.reset();
      return place;
    }
    place.dir = std::move(next);
    at = place.dir.get();
  }
  place.base = name.substr(start);
  return place;
}

/// O_NONBLOCK: opening a FIFO that someone put here must not hang.
Fd Store::open_in(const Place& place) {
  return Fd(::openat(place.dir.get(), place.base.c_str(),
                     O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
}

Store::Place Store::make_place(int root, const std::string& name) const {
  Place place = find_place(root, name);
  if (place.why.error != ENOENT) return place;
  // The first entry of its folder; folders above it were made with v1.
  const int making = make_dir(root, name.substr(0, name.rfind('/')).c_str(), dir_mode());
  place = find_place(root, name);
  if (place.why.error == ENOENT && making != 0) place.why.error = making;
  return place;
}

ReadFile Store::read(const std::string& name, std::size_t limit) const {
  ReadFile out;
  const auto at = root();
  if (!at) return out;
  const Place place = find_place(at->get(), name);
  if (!place.dir.valid()) {
    if (place.why.error == ENOENT) return out;
    out.status = ReadStatus::Failed;
    out.why = place.why;
    return out;
  }
  const Fd file = open_in(place);
  if (!file.valid()) {
    if (errno == ENOENT) return out;
    out.status = errno == ELOOP ? ReadStatus::Untrusted : ReadStatus::Failed;
    out.why = errno == ELOOP ? sentence("is a symbolic link") : from_errno();
    return out;
  }
  struct ::stat info {};
  out.status = ReadStatus::Failed;
  if (::fstat(file.get(), &info) != 0) {
    out.why = from_errno();
    return out;
  }
  out.inode = info.st_ino;
  std::string reason = distrust(info);
  if (reason.empty() && static_cast<std::uint64_t>(info.st_size) > limit) reason = "is too large";
  if (!reason.empty()) {
    out.status = ReadStatus::Untrusted;
    out.why = sentence(std::move(reason));
    return out;
  }
  out.used = info.st_mtim.tv_sec;
  out.bytes.resize(static_cast<std::size_t>(info.st_size));
  std::size_t done = 0;
  while (done < out.bytes.size()) {
    const ssize_t got = ::read(file.get(), out.bytes.data() + done, out.bytes.size() - done);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) {
      out.why = from_errno();
      return out;
    }
    if (got == 0) break;  // shrunk meanwhile: the reader of the bytes finds them short
    done += static_cast<std::size_t>(got);
  }
  out.bytes.resize(done);
  out.status = ReadStatus::Ok;
  return out;
}

Fd Store::open_lock(const std::string& name) const {
  const auto at = root();
  if (!at || kind_ == Kind::Seed) return Fd();
  const Place place = find_place(at->get(), "locks/" + name);
  if (!place.dir.valid()) return Fd();
  const int flags = O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
  const char* base = place.base.c_str();
  Fd file(::openat(place.dir.get(), base, flags | O_RDWR | O_CREAT, file_mode()));
  // Another member of the group made it: flock needs no right to write.
  if (!file.valid()) file = Fd(::openat(place.dir.get(), base, flags | O_RDONLY));
  return file;
}

Fd Store::open_dir(const std::string& name) const {
  const auto at = root();
  if (!at) return Fd();
  // Opened, not duplicated: each reader of a directory has a place of its own in it.
  if (name == ".") return Fd(::openat(at->get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  return find_place(at->get(), name + "/").dir;
}

Fd Store::open_file(const std::string& name) const {
  const auto at = root();
  const Place place = at ? find_place(at->get(), name) : Place{};
  if (!place.dir.valid()) return Fd();
  return open_in(place);
}

bool Store::on_network() const {
  struct ::statfs info {};
  const auto at = root();
  if (!at || ::fstatfs(at->get(), &info) != 0) return false;
  constexpr std::uint32_t nfs = 0x6969, smb2 = 0xfe534d42, cifs = 0xff534d42, lustre = 0x0bd00bd0;
  const auto type = static_cast<std::uint32_t>(info.f_type);
  return type == nfs || type == smb2 || type == cifs || type == lustre;
}

}  // namespace barline::runtime
