// SPDX-License-Identifier: Apache-2.0
// Everything at once: threads that build, look up, evict, check and clear one directory. Each gets
// the right kernel every time; a sanitizer has something to look at.
#include <atomic>
#include <catch2/catch.hpp>
#include <mutex>
#include <random>
#include <thread>

#include "runtime/cache/kernel_cache.h"
#include "runtime/cache/maintain.h"
#include "tests/runtime/support.h"
#include "tests/runtime/syscall_shim.h"

using namespace barline::runtime;
using namespace barline::runtime::test;

namespace {

std::string name_of(unsigned i) { return "kernel " + std::to_string(i); }

bool right(const Found& found, const std::string& name) {
  return !found || *found.entry == sample_entry(sample_key(name));
}

/// One thread's work on a cache that all share (a process) and on one of its own (another process).
bool work(KernelCache& shared, const CacheOptions& options, unsigned seed) {
  const FaultScope no_sync(Fault{});
  std::mt19937 random(seed);
  for (int step = 0; step < 120; ++step) {
    KernelCache own(options);
    KernelCache& cache = random() % 2 == 0 ? shared : own;
    const std::string name = name_of(random() % 6);
    Found found;
    switch (random() % 8) {
      case 0: cache_collect(*own.disk().store(), ~0ull, 4); break;
      case 1: cache_verify(*own.disk().store(), true); break;
      case 2: cache_list(*own.disk().store()); break;
      case 3: cache_clear(*own.disk().store()); break;
      case 4: found = cache.lookup_warm(sample_warm(name)); break;
      default:
        found = cache.get_or_build(sample_key(name), sample_warm(name),
                                   [&] { return sample_entry(sample_key(name)); });
        if (!found) return false;
    }
    if (!right(found, name)) return false;
  }
  return true;
}

}  // namespace

TEST_CASE("threads that build, look up, evict, check and clear at once all get what is right") {
  TempDir dir(fast_folder());
  std::atomic<int> done{0};
  std::mutex mutex;
  std::string warnings;
  CacheOptions options = options_for(dir.path());
  options.warn = [&](const std::string& text) {
    std::lock_guard guard(mutex);
    warnings += text + "\n";
  };
  KernelCache shared(options);
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < 8; ++i)
    threads.emplace_back([&, i] { done += work(shared, options, i) ? 1 : 0; });
  for (std::thread& thread : threads) thread.join();
  CHECK(done == 8);
  CHECK(warnings == "");
  CHECK(shared.counters().bad_entry == 0);
  CHECK(shared.counters().publish_fail == 0);
  CHECK(cache_verify(*shared.disk().store(), false).bad.empty());
  CHECK(cache_stat(*shared.disk().store()).temps == 0);
}
