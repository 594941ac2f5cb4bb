// SPDX-License-Identifier: Apache-2.0
// Reading a pack from a file that the user named. What is opened is what is checked: the questions
// are asked of the descriptor, never of the path again.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "runtime/cache/fd.h"
#include "runtime/pack/pack.h"

namespace barline::runtime {
namespace {

[[noreturn]] void fail(const std::filesystem::path& path, const std::string& why) {
  throw PackError(fmt::format("pack '{}' {}", path.string(), why));
}

[[noreturn]] void fail_call(const std::filesystem::path& path, int error) {
  fail(path,
       fmt::format("cannot be read: {}; check the path and its permissions", std::strerror(error)));
}

std::vector<std::byte> read_whole(const std::filesystem::path& path, int fd, std::size_t bytes) {
  std::vector<std::byte> out(bytes);
  for (std::size_t at = 0; at < bytes;) {
    const ssize_t got = ::read(fd, out.data() + at, bytes - at);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail_call(path, errno);
    if (got == 0) out.resize(bytes = at);  // it became shorter; the header's length will tell
    at += static_cast<std::size_t>(got);
  }
  return out;
}

}  // namespace

std::shared_ptr<const Pack> Pack::open(const std::filesystem::path& path) {
  // O_NONBLOCK: a FIFO must not hold the host up; it does nothing to a regular file.
  const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd.valid()) fail_call(path, errno);
  struct ::stat file {};
  if (::fstat(fd.get(), &file) != 0) fail_call(path, errno);
  if (!S_ISREG(file.st_mode)) fail(path, "is no regular file; name one that `barline pack` wrote");
  if ((file.st_mode & S_IWOTH) != 0)
    fail(path, "may be written by everyone, and its code would run as you; chmod o-w it");
  if (static_cast<std::uint64_t>(file.st_size) > max_pack_bytes)
    fail(path, fmt::format("has {} bytes, above the limit of {}; write one for fewer kernels or "
                           "targets",
                           file.st_size, max_pack_bytes));
  return parse(read_whole(path, fd.get(), static_cast<std::size_t>(file.st_size)), path.string());
}

}  // namespace barline::runtime
