// SPDX-License-Identifier: Apache-2.0
// What the cache did in this process.
#pragma once
#include <atomic>
#include <cstdint>

namespace barline::runtime {

/// Incremented from any thread.
struct Counters {
  std::atomic<std::uint64_t> mem_hit{0};               ///< answered from this process's memory
  std::atomic<std::uint64_t> disk_hit{0};              ///< answered from the cache directory
  std::atomic<std::uint64_t> seed_hit{0};              ///< answered from a seed directory
  std::atomic<std::uint64_t> miss{0};                  ///< no good entry anywhere
  std::atomic<std::uint64_t> compile{0};               ///< builders run
  std::atomic<std::uint64_t> compile_after_warmup{0};  ///< builders run after mark_warmed_up()
  std::atomic<std::uint64_t> publish_fail{0};          ///< entries that could not be written
  std::atomic<std::uint64_t> bad_entry{0};             ///< files that failed a check
  std::atomic<std::uint64_t> lock_wait{0};             ///< waits for another process's build
  std::atomic<std::uint64_t> lock_wait_ms{0};          ///< time spent in them
  std::atomic<std::uint64_t> lock_timeout{0};          ///< waits given up

  /// Visits every counter with its name.
  template <typename F>
  void fields(F&& f) const {
    f("mem_hit", mem_hit.load());
    f("disk_hit", disk_hit.load());
    f("seed_hit", seed_hit.load());
    f("miss", miss.load());
    f("compile", compile.load());
    f("compile_after_warmup", compile_after_warmup.load());
    f("publish_fail", publish_fail.load());
    f("bad_entry", bad_entry.load());
    f("lock_wait", lock_wait.load());
    f("lock_wait_ms", lock_wait_ms.load());
    f("lock_timeout", lock_timeout.load());
  }
};

}  // namespace barline::runtime
