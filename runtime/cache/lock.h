// SPDX-License-Identifier: Apache-2.0
// A lock between processes that the kernel releases when its holder dies, however it dies.
#pragma once
#include <chrono>
#include <cstdint>

#include "runtime/cache/fd.h"

namespace barline::runtime {

/// An exclusive flock, held while the object lives. Lock files are never deleted: a deleted one
/// would let two processes each hold "the" lock.
class FileLock {
 public:
  FileLock() = default;
  /// Takes ownership of an open lock file; waits at most `wait`.
  static FileLock acquire(Fd file, std::chrono::milliseconds wait);

  bool held() const { return file_.valid(); }
  bool timed_out() const { return timed_out_; }
  std::chrono::milliseconds waited() const { return waited_; }

 private:
  Fd file_;
  bool timed_out_ = false;
  std::chrono::milliseconds waited_{0};
};

}  // namespace barline::runtime
