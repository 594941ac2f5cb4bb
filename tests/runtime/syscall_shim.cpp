// SPDX-License-Identifier: Apache-2.0
// One definition a call: ask the thread's fault what is to happen, then go on to the next
// definition of that name (a sanitizer's or libc's).
#include "tests/runtime/syscall_shim.h"

#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <optional>

namespace barline::runtime::test {
namespace {

struct Plan {
  Fault fault;
  int calls = 0;
  bool met = false;
  std::map<std::string, int> names;
};

thread_local Plan* plan = nullptr;

/// The fault that meets this call, if it does.
std::optional<Fault> meet(const char* name) {
  if (plan == nullptr) return std::nullopt;
  Plan& p = *plan;
  plan = nullptr;  // what is done here is no call of the library's
  ++p.names[name];
  std::optional<Fault> fault;
  if (p.fault.call.empty() || p.fault.call == name) {
    ++p.calls;
    if (p.calls == p.fault.at || (p.fault.and_after && p.fault.at > 0 && p.calls > p.fault.at)) {
      p.met = true;
      fault = p.fault;
      if (fault->kind == Fault::Kind::Kill) ::kill(::getpid(), SIGKILL);
      if (fault->kind == Fault::Kind::Meanwhile) {
        fault->meanwhile();
        fault.reset();
      }
    }
  }
  plan = &p;
  return fault;
}

/// True, with errno set, when the call is to fail.
bool fails(const char* name) {
  const auto fault = meet(name);
  if (!fault || fault->kind != Fault::Kind::Fail) return false;
  errno = fault->error;
  return true;
}

template <typename F>
F* next(F*, const char* name) {
  return reinterpret_cast<F*>(::dlsym(RTLD_NEXT, name));
}

}  // namespace

FaultScope::FaultScope(const Fault& fault) { plan = new Plan{fault, 0, false, {}}; }
FaultScope::~FaultScope() {
  delete plan;
  plan = nullptr;
}
int FaultScope::calls() const { return plan->calls; }
std::map<std::string, int> FaultScope::names() const { return plan->names; }
bool FaultScope::met() const { return plan->met; }

}  // namespace barline::runtime::test

using barline::runtime::test::fails;
using barline::runtime::test::Fault;
using barline::runtime::test::meet;
using barline::runtime::test::next;
using barline::runtime::test::plan;

#define NEXT(name) static auto* const real = next(&::name, #name)

extern "C" {
#pragma GCC visibility push(default)

int open(const char* path, int flags, ...) {
  NEXT(open);
  va_list list;
  va_start(list, flags);
  const mode_t mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(list, mode_t) : 0;
  va_end(list);
  return fails("open") ? -1 : real(path, flags, mode);
}

int openat(int at, const char* path, int flags, ...) {
  NEXT(openat);
  va_list list;
  va_start(list, flags);
  const mode_t mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(list, mode_t) : 0;
  va_end(list);
  return fails("openat") ? -1 : real(at, path, flags, mode);
}

ssize_t read(int fd, void* to, size_t bytes) {
  NEXT(read);
  const auto fault = meet("read");
  if (!fault) return real(fd, to, bytes);
  if (fault->kind == Fault::Kind::Half) return real(fd, to, bytes > 1 ? bytes / 2 : bytes);
  if (fault->kind == Fault::Kind::Nothing) return 0;
  errno = fault->error;
  return -1;
}

ssize_t write(int fd, const void* from, size_t bytes) {
  NEXT(write);
  const auto fault = meet("write");
  if (!fault) return real(fd, from, bytes);
  if (fault->kind == Fault::Kind::Half) return real(fd, from, bytes > 1 ? bytes / 2 : bytes);
  if (fault->kind == Fault::Kind::Nothing) return 0;
  errno = fault->error;
  return -1;
}

int close(int fd) {
  NEXT(close);
  const bool failing = fails("close");
  const int error = errno;
  const int done = real(fd);  // Linux frees the number even when close says that it failed
  if (!failing) return done;
  errno = error;
  return -1;
}

int fsync(int fd) {
  NEXT(fsync);
  if (plan == nullptr) return real(fd);
  return fails("fsync") ? -1 : 0;
}

int fstat(int fd, struct stat* info) noexcept {
  NEXT(fstat);
  return fails("fstat") ? -1 : real(fd, info);
}

int fstatat(int at, const char* path, struct stat* info, int flags) noexcept {
  NEXT(fstatat);
  return fails("fstatat") ? -1 : real(at, path, info, flags);
}

int fstatfs(int fd, struct statfs* info) noexcept {
  NEXT(fstatfs);
  return fails("fstatfs") ? -1 : real(fd, info);
}

int fchmod(int fd, mode_t mode) noexcept {
  NEXT(fchmod);
  return fails("fchmod") ? -1 : real(fd, mode);
}

int fchmodat(int at, const char* path, mode_t mode, int flags) noexcept {
  NEXT(fchmodat);
  return fails("fchmodat") ? -1 : real(at, path, mode, flags);
}

int mkdir(const char* path, mode_t mode) noexcept {
  NEXT(mkdir);
  return fails("mkdir") ? -1 : real(path, mode);
}

int mkdirat(int at, const char* path, mode_t mode) noexcept {
  NEXT(mkdirat);
  return fails("mkdirat") ? -1 : real(at, path, mode);
}

int unlinkat(int at, const char* path, int flags) noexcept {
  NEXT(unlinkat);
  return fails("unlinkat") ? -1 : real(at, path, flags);
}

int renameat(int from, const char* old_path, int to, const char* new_path) noexcept {
  NEXT(renameat);
  return fails("renameat") ? -1 : real(from, old_path, to, new_path);
}

int renameat2(int from, const char* old_path, int to, const char* new_path,
              unsigned flags) noexcept {
  NEXT(renameat2);
  return fails("renameat2") ? -1 : real(from, old_path, to, new_path, flags);
}

int utimensat(int at, const char* path, const struct timespec times[2], int flags) noexcept {
  NEXT(utimensat);
  return fails("utimensat") ? -1 : real(at, path, times, flags);
}

int futimens(int fd, const struct timespec times[2]) noexcept {
  NEXT(futimens);
  return fails("futimens") ? -1 : real(fd, times);
}

int flock(int fd, int operation) noexcept {
  NEXT(flock);
  return fails("flock") ? -1 : real(fd, operation);
}

DIR* fdopendir(int fd) {
  NEXT(fdopendir);
  return fails("fdopendir") ? nullptr : real(fd);
}

#pragma GCC visibility pop
}
