// SPDX-License-Identifier: Apache-2.0
// posix_spawn with an argv array, an environment of one variable and a process group of its own.
// The parent polls the log's pipe and the child's pidfd, and kills the group at the deadline.
#include "codegen/assembler/process_p.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

namespace barline::codegen {
namespace {

using Clock = std::chrono::steady_clock;

[[noreturn]] void fail(const char* what, int error = errno) {
  throw std::system_error(error, std::generic_category(), what);
}

// The child's descriptors 0..4 are filled by dup2: sources below 10 could be overwritten on the
// way.
Fd raised(int fd, const char* what) {
  if (fd < 0) fail(what);
  Fd low(fd);
  int high = fcntl(fd, F_DUPFD_CLOEXEC, 10);
  if (high < 0) fail(what);
  return Fd(high);
}

struct Attributes {
  posix_spawnattr_t value;
  Attributes() {
    posix_spawnattr_init(&value);
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setflags(
        &value, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    posix_spawnattr_setpgroup(&value, 0);
    posix_spawnattr_setsigmask(&value, &none);
    posix_spawnattr_setsigdefault(&value, &all);
  }
  ~Attributes() { posix_spawnattr_destroy(&value); }
};

struct FileActions {
  posix_spawn_file_actions_t value;
  FileActions(const ProcessSpec& spec, int log) {
    posix_spawn_file_actions_init(&value);
    posix_spawn_file_actions_addopen(&value, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&value, log, 1);
    posix_spawn_file_actions_adddup2(&value, log, 2);
    int next = 3;
    if (spec.input) posix_spawn_file_actions_adddup2(&value, spec.input->get(), next++);
    if (spec.output) posix_spawn_file_actions_adddup2(&value, spec.output->get(), next++);
    posix_spawn_file_actions_addclosefrom_np(&value, next);
    posix_spawn_file_actions_addchdir_np(&value, "/");
  }
  ~FileActions() { posix_spawn_file_actions_destroy(&value); }
};

pid_t spawn(const ProcessSpec& spec, int log) {
  std::vector<char*> argv{const_cast<char*>(spec.path.c_str())};
  for (const std::string& arg : spec.args) argv.push_back(const_cast<char*>(arg.c_str()));
  argv.push_back(nullptr);
  char locale[] = "LC_ALL=C";
  char* environment[] = {locale, nullptr};
  Attributes attributes;
  FileActions actions(spec, log);
  pid_t pid = -1;
  int error = posix_spawn(&pid, spec.path.c_str(), &actions.value, &attributes.value, argv.data(),
                          environment);
  if (error) fail(("cannot start " + spec.path).c_str(), error);
  return pid;
}

void limit(pid_t pid, const ProcessSpec& spec) {
  auto set = [pid](__rlimit_resource resource, rlim_t value) {
    rlimit bound{value, value};
    prlimit(pid, resource, &bound, nullptr);  // a child that has already gone needs no limit
  };
  set(RLIMIT_CORE, 0);
  set(RLIMIT_FSIZE, spec.file_cap);
  // Bounds a child whose parent died before the deadline.
  set(RLIMIT_CPU, static_cast<rlim_t>(spec.timeout.count() / 1000 + 2));
}

enum class Waited { Running, Exited, Lost };

Waited peek(pid_t pid) {
  siginfo_t info{};
  if (waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOHANG | WNOWAIT) != 0)
    return errno == EINTR ? Waited::Running : Waited::Lost;
  return info.si_pid == pid ? Waited::Exited : Waited::Running;
}

// Appends what is there; false at end of file.
bool drain(int fd, std::size_t cap, ProcessResult& result) {
  char buffer[16384];
  while (true) {
    ssize_t n = read(fd, buffer, sizeof buffer);
    if (n < 0) return errno == EAGAIN || errno == EINTR;
    if (n == 0) return false;
    std::size_t room = cap - std::min(cap, result.log.size());
    result.log.append(buffer, std::min(room, static_cast<std::size_t>(n)));
    if (static_cast<std::size_t>(n) > room) {
      result.log_overflow = true;
      return true;
    }
  }
}

// Returns when the child has ended, has had its time or the log is over its cap. Time passes in
// slices, and a slice that took longer than two counts as two: where a whole machine or container
// stood still, the child did, too.
void watch(pid_t pid, int log, const ProcessSpec& spec, ProcessResult& result) {
  const std::chrono::milliseconds slice =
      std::clamp(spec.timeout / 20, std::chrono::milliseconds(1), std::chrono::milliseconds(500));
  Clock::duration passed{};
  Fd pidfd(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
  pollfd fds[2] = {{log, POLLIN, 0}, {pidfd.get(), POLLIN, 0}};
  while (true) {
    if (fds[0].fd >= 0 && !drain(log, spec.log_cap, result)) fds[0].fd = -1;
    if (result.log_overflow) return;
    if (peek(pid) != Waited::Running) {
      drain(log, spec.log_cap, result);
      return;
    }
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(spec.timeout - passed);
    if (left.count() <= 0) {
      result.timed_out = true;
      return;
    }
    // Where the kernel has no pidfd, look again every few milliseconds.
    const std::chrono::milliseconds look(3);
    const auto wait = std::min(left, pidfd.get() >= 0 ? slice : std::min(slice, look));
    const auto before = Clock::now();
    poll(fds, 2, static_cast<int>(wait.count()));
    passed += std::min<Clock::duration>(Clock::now() - before, 2 * slice);
  }
}

// The group is killed while its leader is still a zombie, so that its number cannot be another's;
// where another part of the host has reaped the leader already, nothing is killed.
int reap(pid_t pid) {
  if (peek(pid) != Waited::Lost) kill(-pid, SIGKILL);
  int status = 0;
  while (waitpid(pid, &status, 0) < 0)
    if (errno != EINTR) return -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace

Fd& Fd::operator=(Fd&& other) noexcept {
  if (this != &other) {
    reset();
    fd_ = other.fd_;
    other.fd_ = -1;
  }
  return *this;
}

void Fd::reset() {
  if (fd_ >= 0) close(fd_);
  fd_ = -1;
}

Fd memory_file(const char* name) {
  return raised(memfd_create(name, MFD_CLOEXEC), "cannot make a memory file");
}

void write_all(const Fd& fd, std::string_view bytes) {
  while (!bytes.empty()) {
    ssize_t n = write(fd.get(), bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) fail("cannot write to a memory file");
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
}

std::vector<std::byte> read_all(const Fd& fd) {
  struct stat info {};
  if (fstat(fd.get(), &info) != 0) fail("cannot read a memory file");
  std::vector<std::byte> bytes(static_cast<std::size_t>(info.st_size));
  std::size_t done = 0;
  while (done < bytes.size()) {
    ssize_t n = pread(fd.get(), bytes.data() + done, bytes.size() - done, static_cast<off_t>(done));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail("cannot read a memory file");
    if (n == 0) break;
    done += static_cast<std::size_t>(n);
  }
  bytes.resize(done);
  return bytes;
}

ProcessResult run_process(const ProcessSpec& spec) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) fail("cannot make a pipe");
  Fd first(ends[0]), second(ends[1]);
  Fd reader = raised(fcntl(ends[0], F_DUPFD_CLOEXEC, 10), "cannot make a pipe");
  Fd writer = raised(fcntl(ends[1], F_DUPFD_CLOEXEC, 10), "cannot make a pipe");
  first.reset();
  second.reset();
  fcntl(reader.get(), F_SETFL, O_NONBLOCK);

  ProcessResult result;
  auto start = Clock::now();
  pid_t pid = spawn(spec, writer.get());
  writer.reset();
  limit(pid, spec);
  watch(pid, reader.get(), spec, result);
  result.status = reap(pid);
  result.ms = std::chrono::duration<double, std::milli>(Clock::now() - start).count();
  return result;
}

}  // namespace barline::codegen
