// SPDX-License-Identifier: Apache-2.0
// One build for all who ask: over threads, over processes, and after a death in the middle.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <fstream>
#include <thread>

#include "runtime/cache/kernel_cache.h"
#include "runtime/cache/maintain.h"
#include "tests/runtime/support.h"

using namespace barline::runtime;
using namespace barline::runtime::test;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

/// Starts `count` children that wait for one another, runs `body(i)` in each; the exit statuses.
std::vector<int> in_children(int count, const std::function<int(int)>& body) {
  int gate[2];
  REQUIRE(::pipe(gate) == 0);
  std::vector<pid_t> children;
  for (int i = 0; i < count; ++i) {
    const pid_t pid = ::fork();
    REQUIRE(pid >= 0);
    if (pid == 0) {
      char byte = 0;
      ::close(gate[1]);
      if (::read(gate[0], &byte, 1) < 0) ::_exit(97);  // returns when the parent closes its end
      int status = 98;
      try {
        status = body(i);
      } catch (...) {
      }
      ::_exit(status);
    }
    children.push_back(pid);
  }
  ::close(gate[0]);
  ::close(gate[1]);
  std::vector<int> statuses;
  for (const pid_t pid : children) {
    int status = 0;
    ::waitpid(pid, &status, 0);
    statuses.push_back(WIFEXITED(status) ? WEXITSTATUS(status) : -1);
  }
  return statuses;
}

/// Leaves a mark that the parent can count.
Entry slow_build(const fs::path& marks, const KeyRecord& key) {
  std::ofstream(marks / (std::to_string(::getpid()) + "." + key.hash().hex() + ".mark")) << "x";
  std::this_thread::sleep_for(5ms);
  return sample_entry(key);
}

}  // namespace

TEST_CASE("many threads and one key make one build") {
  TempDir dir;
  KernelCache cache(options_for(dir.path()));
  std::atomic<int> builds{0}, right{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 16; ++i) {
    threads.emplace_back([&] {
      const Found found = cache.get_or_build(sample_key(), sample_warm(), [&] {
        ++builds;
        std::this_thread::sleep_for(20ms);
        return sample_entry();
      });
      if (found && *found.entry == sample_entry()) ++right;
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(builds == 1);
  CHECK(right == 16);
  CHECK(cache.counters().compile == 1);
  CHECK(cache.counters().miss == 1);
  CHECK(cache.counters().mem_hit == 15);
}

TEST_CASE("a failing build reaches every thread that waits and is tried anew by the next") {
  KernelCache cache(CacheOptions{});
  std::atomic<int> failed{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      try {
        cache.get_or_build(sample_key(), sample_warm(), []() -> Entry {
          std::this_thread::sleep_for(20ms);
          throw std::runtime_error("refused");
        });
      } catch (const std::runtime_error&) {
        ++failed;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(failed == 8);
  CHECK(cache.get_or_build(sample_key(), sample_warm(), [] { return sample_entry(); }).source ==
        Source::Built);
}

TEST_CASE("64 processes make one build a key") {
  TempDir dir, marks;
  const int processes = 64, keys = GENERATE(1, 50);
  const auto statuses = in_children(processes, [&](int i) {
    KernelCache cache(options_for(dir.path()));
    for (int k = 0; k < keys; ++k) {
      const KeyRecord key = sample_key("kernel " + std::to_string((i + k) % keys));
      const Found found = cache.get_or_build(key, sample_warm(key.hash().hex()),
                                             [&] { return slow_build(marks.path(), key); });
      if (!found || *found.entry != sample_entry(key)) return 1;
    }
    return 0;
  });
  CHECK(statuses == std::vector<int>(processes, 0));
  const auto wanted = static_cast<std::size_t>(keys);
  CHECK(files_below(marks.path(), ".mark").size() == wanted);
  CHECK(files_below(dir.path(), ".blc").size() == wanted);
  CHECK(files_below(dir.path(), ".blw").size() == wanted);
}

TEST_CASE("a process killed in a build leaves no lock behind") {
  TempDir dir;
  const pid_t pid = ::fork();
  REQUIRE(pid >= 0);
  const fs::path ready = dir.path() / "ready";
  if (pid == 0) {
    KernelCache cache(options_for(dir.path() / "cache"));
    cache.get_or_build(sample_key(), sample_warm(), [&]() -> Entry {
      std::ofstream(ready) << "x";
      for (;;) ::pause();
    });
    ::_exit(0);
  }
  while (!fs::exists(ready)) std::this_thread::sleep_for(1ms);
  std::thread killer([&] {
    std::this_thread::sleep_for(30ms);
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
  });
  KernelCache cache(options_for(dir.path() / "cache"));
  const Found found =
      cache.get_or_build(sample_key(), sample_warm(), [] { return sample_entry(); });
  killer.join();
  CHECK(found.source == Source::Built);
  CHECK(cache.counters().lock_wait == 1);
  CHECK(cache.counters().lock_timeout == 0);
}

TEST_CASE("the wait for another's build is bounded") {
  TempDir dir;
  DiskCache holder(options_for(dir.path()));
  const FileLock held = holder.lock(sample_key().hash());
  REQUIRE(held.held());
  CacheOptions options = options_for(dir.path());
  options.lock_wait = 20ms;
  KernelCache cache(options);
  CHECK(cache.get_or_build(sample_key(), sample_warm(), [] { return sample_entry(); }).source ==
        Source::Built);
  CHECK(cache.counters().lock_timeout == 1);
}

TEST_CASE("processes killed at any moment of a publish leave no bad entry") {
  TempDir dir;
  const Entry entry = sample_entry(sample_key(), 200000);
  for (int round = 0; round < 30; ++round) {
    const pid_t pid = ::fork();
    REQUIRE(pid >= 0);
    if (pid == 0) {
      KernelCache cache(options_for(dir.path()));
      for (int i = 0;; ++i) {
        const KeyRecord key = sample_key(std::to_string(round) + "." + std::to_string(i));
        cache.get_or_build(key, sample_warm(std::to_string(i)), [&] { return entry; });
      }
    }
    std::this_thread::sleep_for(std::chrono::microseconds(3000 + 377 * round));
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
  }
  DiskCache cache(options_for(dir.path()));
  const VerifyReport report = cache_verify(*cache.store(), false);
  CHECK(report.good > 0);
  CHECK(report.bad.empty());
  cache_collect(*cache.store(), ~0ull, ~0ull, std::chrono::seconds(0));
  CHECK(cache_stat(*cache.store()).temps == 0);
}

TEST_CASE("a warm lookup finds what a build published, in this process and in the next") {
  TempDir dir;
  {
    KernelCache cache(options_for(dir.path()));
    CHECK_FALSE(cache.lookup_warm(sample_warm()));
    cache.get_or_build(sample_key(), sample_warm(), [] { return sample_entry(); });
    CHECK(cache.lookup_warm(sample_warm()).source == Source::Memory);
  }
  KernelCache next(options_for(dir.path()));
  const Found found = next.lookup_warm(sample_warm());
  REQUIRE(found);
  CHECK(found.source == Source::Disk);
  CHECK(*found.entry == sample_entry());
  CHECK(next.lookup_warm(sample_warm()).source == Source::Memory);
  CHECK(next.find(sample_key()).source == Source::Memory);
  CHECK_FALSE(next.lookup_warm(sample_warm("other")));
}

TEST_CASE("a warm key whose entry is gone is a miss") {
  TempDir dir;
  KernelCache(options_for(dir.path())).get_or_build(sample_key(), sample_warm(), [] {
    return sample_entry();
  });
  for (const fs::path& file : files_below(dir.path(), ".blc")) fs::remove(file);
  KernelCache next(options_for(dir.path()));
  CHECK_FALSE(next.lookup_warm(sample_warm()));
  CHECK(next.get_or_build(sample_key(), sample_warm(), [] { return sample_entry(); }).source ==
        Source::Built);
  CHECK(next.lookup_warm(sample_warm()));
}

TEST_CASE("a disk hit under a new warm key teaches the warm path") {
  TempDir dir;
  KernelCache(options_for(dir.path())).get_or_build(sample_key(), sample_warm("a"), [] {
    return sample_entry();
  });
  KernelCache(options_for(dir.path())).get_or_build(sample_key(), sample_warm("b"), []() -> Entry {
    throw 1;
  });
  CHECK(KernelCache(options_for(dir.path())).lookup_warm(sample_warm("b")));
}

TEST_CASE("builds after warm-up are counted apart") {
  KernelCache cache(CacheOptions{});
  cache.get_or_build(sample_key("a"), sample_warm("a"), [] { return sample_entry(); });
  CHECK(cache.counters().compile_after_warmup == 0);
  cache.mark_warmed_up();
  cache.get_or_build(sample_key("b"), sample_warm("b"), [] { return sample_entry(); });
  CHECK(cache.counters().compile_after_warmup == 1);
}
