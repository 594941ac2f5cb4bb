// SPDX-License-Identifier: Apache-2.0
// What barline takes of the operating system: memory files, descriptors, memory, a clock that runs
// forwards, and an environment without misspelt names.
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <ctime>
#include <fstream>

#include "tools/doctor.h"

namespace barline::tools {
namespace {

/// The assembler is handed memory files through /proc/self/fd: no temporary names, no full disk.
Check check_memory_files() {
  Check c{.name = "memory files",
          .detail = "memfd and /proc/self/fd work",
          .why = "the assembler reads and writes through them"};
  int fd = ::memfd_create("barline", MFD_CLOEXEC);
  std::string path = fmt::format("/proc/self/fd/{}", fd);
  if (fd < 0 || ::access(path.c_str(), R_OK | W_OK) != 0) {
    c.health = Health::Fail;
    c.detail = fmt::format("{}: {}", fd < 0 ? "memfd_create" : path, std::strerror(errno));
    c.fix = "mount /proc, and allow memfd_create in the sandbox";
    c.code = ExitCode::Missing;
  }
  if (fd >= 0) ::close(fd);
  return c;
}

std::uint64_t available_memory() {
  std::ifstream in("/proc/meminfo");
  for (std::string key, unit; in >> key;) {
    std::uint64_t kib = 0;
    if (key == "MemAvailable:" && in >> kib >> unit) return kib << 10;
    in.ignore(256, '\n');
  }
  return 0;
}

std::int64_t built(const std::filesystem::path& program) {
  struct stat file {};
  return ::stat(program.c_str(), &file) == 0 ? file.st_mtime : 0;
}

}  // namespace

void check_machine(const Context& context, Checks& out) {
  out.push_back(check_memory_files());
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  out.push_back(judge_open_files(files.rlim_cur));
  out.push_back(judge_memory(available_memory()));
  out.push_back(judge_clock(std::time(nullptr), built(context.program)));
  out.push_back(judge_variables(context.variables));
}

}  // namespace barline::tools
