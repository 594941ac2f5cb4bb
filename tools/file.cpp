// SPDX-License-Identifier: Apache-2.0
#include "tools/file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

#include "tools/error.h"

namespace barline::tools {
namespace {

class File {
 public:
  explicit File(int fd) : fd_(fd) {}
  ~File() {
    if (fd_ >= 0) ::close(fd_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  int get() const { return fd_; }
  int close() { return ::close(std::exchange(fd_, -1)); }

 private:
  int fd_;
};

[[noreturn]] void fail_io(const char* verb, const std::string& path) {
  throw IoError(fmt::format("cannot {} {}: {}", verb, path, std::strerror(errno)));
}

std::string read_all(const File& file, const std::string& path, std::size_t limit) {
  std::string out;
  char buffer[1 << 16];
  while (true) {
    ssize_t n = ::read(file.get(), buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail_io("read", path);
    if (n == 0) return out;
    out.append(buffer, static_cast<std::size_t>(n));
    if (out.size() > limit) {
      throw UsageError(fmt::format("{} is longer than {} bytes; pass a smaller file", path, limit));
    }
  }
}

bool write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    ssize_t n = ::write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

mode_t file_mask() {
  const mode_t mask = ::umask(0);
  ::umask(mask);
  return mask;
}

/// Where the links of `path` lead: a file is put in the place of what they name, not of a link.
std::string resolved(const std::string& path) {
  namespace fs = std::filesystem;
  fs::path at = path;
  std::error_code error;
  for (int links = 0; links < 40 && fs::is_symlink(at, error); ++links) {
    const fs::path next = fs::read_symlink(at, error);
    if (error) break;
    at = next.is_absolute() ? next : at.parent_path() / next;
  }
  if (fs::is_symlink(at, error)) {
    errno = ELOOP;
    fail_io("write", path);
  }
  return at.string();
}

/// A name of what this process holds open, a file perhaps, which others write to as well.
bool is_handle(const std::string& path) {
  return path == "/dev/stdout" || path == "/dev/stderr" || path.starts_with("/dev/fd/") ||
         path.starts_with("/proc/");
}

/// Devices, pipes and open files are written to as they are.
void write_into(const std::string& path, std::string_view bytes) {
  File file(::open(path.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC));
  if (file.get() < 0 || !write_all(file.get(), bytes) || file.close() != 0) fail_io("write", path);
}

}  // namespace

std::string read_file(const std::string& path, std::size_t limit) {
  File file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (file.get() < 0) {
    bool missing = errno == ENOENT || errno == ENOTDIR;
    if (!missing) fail_io("open", path);
    throw UsageError(fmt::format("{}: no such file; check the path", path));
  }
  struct stat info {};
  if (::fstat(file.get(), &info) != 0) fail_io("read", path);
  if (!S_ISREG(info.st_mode)) {
    throw UsageError(fmt::format("{} is not a regular file; pass the path of a file", path));
  }
  return read_all(file, path, limit);
}

void check_output(const std::string& path) {
  namespace fs = std::filesystem;
  fs::path folder = fs::path(path).parent_path();
  std::error_code error;
  if (!folder.empty() && !fs::is_directory(folder, error)) {
    throw UsageError(
        fmt::format("cannot write {}: no folder {}; create it first", path, folder.string()));
  }
  if (fs::is_directory(path, error)) {
    throw UsageError(fmt::format("cannot write {}: it is a folder; name a file", path));
  }
}

void write_file(const std::string& path, std::string_view bytes) {
  check_output(path);
  const std::string there = resolved(path);
  struct stat old {};
  const bool exists = ::stat(there.c_str(), &old) == 0;
  if (exists && (!S_ISREG(old.st_mode) || is_handle(path))) return write_into(path, bytes);
  std::string temp = there + ".tmp.XXXXXX";
  File file(::mkostemp(temp.data(), O_CLOEXEC));
  if (file.get() < 0) fail_io("write", path);
  const mode_t mode = exists ? old.st_mode & 07777 : 0666 & ~file_mask();
  bool good = write_all(file.get(), bytes) && ::fchmod(file.get(), mode) == 0 &&
              ::fsync(file.get()) == 0 && file.close() == 0 &&
              ::rename(temp.c_str(), there.c_str()) == 0;
  if (!good) {
    int error = errno;
    ::unlink(temp.c_str());
    errno = error;
    fail_io("write", path);
  }
}

}  // namespace barline::tools
