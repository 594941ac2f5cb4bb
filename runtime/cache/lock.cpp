// SPDX-License-Identifier: Apache-2.0
// flock has no timeout, so a bounded wait polls, at first every millisecond and then every sixteen.
#include "runtime/cache/lock.h"

#include <sys/file.h>

#include <algorithm>
#include <cerrno>
#include <thread>

namespace barline::runtime {

FileLock FileLock::acquire(Fd file, std::chrono::milliseconds wait) {
  using Clock = std::chrono::steady_clock;
  using std::chrono::milliseconds;
  FileLock lock;
  if (!file.valid()) return lock;
  const auto start = Clock::now();
  milliseconds pause{1};
  while (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EINTR) continue;
    if (errno != EWOULDBLOCK) return lock;  // a file system without locks: go on without
    const auto elapsed = std::chrono::duration_cast<milliseconds>(Clock::now() - start);
    lock.waited_ = std::max(elapsed, milliseconds{1});
    if (elapsed >= wait) {
      lock.timed_out_ = true;
      return lock;
    }
    std::this_thread::sleep_for(std::min(pause, wait - elapsed));
    pause = std::min(pause * 2, milliseconds{16});
  }
  lock.file_ = std::move(file);
  return lock;
}

}  // namespace barline::runtime
