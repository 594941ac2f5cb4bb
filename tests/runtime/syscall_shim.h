// SPDX-License-Identifier: Apache-2.0
// Faults at the edge of the operating system. The test binary defines the file calls that the cache
// makes (openat, write, renameat2, ...); its definitions come before libc's, so every such call of
// the library passes through here and may fail, stop half way, or be the last one of its process.
#pragma once
#include <functional>
#include <map>
#include <string>

namespace barline::runtime::test {

struct Fault {
  enum class Kind {
    Fail,       ///< returns -1 and sets errno
    Half,       ///< reads or writes half of what was asked; other calls as ever
    Nothing,    ///< reads or writes nothing and says so
    Kill,       ///< SIGKILL before the call is made
    Meanwhile,  ///< `meanwhile` runs first, as another process would; then the call is made
  };
  Kind kind = Kind::Fail;
  int error = 0;           ///< of Fail
  int at = 0;              ///< the call that it meets, from 1; 0: none
  bool and_after = false;  ///< and all calls after it
  std::function<void()> meanwhile{};
  std::string call{};  ///< count and meet calls of this name only; empty: of every name
};

/// Plants a fault in this thread's file calls while it lives. fsync does nothing meanwhile: the
/// tests ask what a process sees, not what a power cut leaves.
class FaultScope {
 public:
  explicit FaultScope(const Fault& fault);
  ~FaultScope();
  FaultScope(const FaultScope&) = delete;
  FaultScope& operator=(const FaultScope&) = delete;

  int calls() const;                         ///< made so far, that the fault counts
  std::map<std::string, int> names() const;  ///< calls of each name so far
  bool met() const;                          ///< the fault was planted in at least one call
};

}  // namespace barline::runtime::test
