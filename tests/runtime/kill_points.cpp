// SPDX-License-Identifier: Apache-2.0
// A process killed before any of the file calls of a build: who comes after it, or works beside it,
// gets the right kernel, waits for no lock of the dead, and collecting leaves nothing of it.
#include <fmt/format.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <optional>

#include "runtime/cache/kernel_cache.h"
#include "runtime/cache/maintain.h"
#include "tests/runtime/support.h"
#include "tests/runtime/syscall_shim.h"

using namespace barline::runtime;
using namespace barline::runtime::test;
namespace fs = std::filesystem;

namespace {

Found build(KernelCache& cache, const std::string& name) {
  return cache.get_or_build(sample_key(name), sample_warm(name),
                            [&] { return sample_entry(sample_key(name), 3000); });
}

int calls_of_a_build() {
  TempDir dir(fast_folder());
  const FaultScope scope(Fault{});
  KernelCache cache(options_for(dir.path()));
  build(cache, "k");
  return scope.calls();
}

pid_t start_victim(const fs::path& dir, const std::string& name, int point) {
  const pid_t pid = ::fork();
  REQUIRE(pid >= 0);
  if (pid != 0) return pid;
  const FaultScope scope(Fault{.kind = Fault::Kind::Kill, .at = point});
  KernelCache cache(options_for(dir));
  build(cache, name);
  ::_exit(0);
}

bool was_killed(pid_t pid) {
  int status = 0;
  ::waitpid(pid, &status, 0);
  return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
}

/// Every lock of the directory can be had at once.
bool no_lock_is_stuck(const fs::path& dir) {
  CacheOptions options = options_for(dir);
  options.lock_wait = std::chrono::milliseconds(0);
  DiskCache cache(options);
  for (int shard = 0; shard < 256; ++shard) {
    Hash256 key;
    key.bytes[0] = static_cast<std::uint8_t>(shard);
    if (!cache.lock(key).held()) return false;
  }
  return true;
}

/// Nothing bad is kept, and what the dead left can be collected.
void check_directory(const fs::path& dir, int kernels) {
  DiskCache cache(options_for(dir));
  const VerifyReport report = cache_verify(*cache.store(), false);
  CHECK(report.bad.empty());
  CHECK(report.good == 2 * static_cast<std::uint64_t>(kernels));
  CHECK(no_lock_is_stuck(dir));
  cache_collect(*cache.store(), ~0ull, ~0ull);
  CHECK(cache_stat(*cache.store()).temps == 0);
}

/// How a round of victims, one at each point of a build, goes.
struct Round {
  bool beside;  ///< the survivor works beside the victim, not after it
  bool fresh;   ///< a directory for each victim; else one, with what earlier ones left, for all
};

/// The number that died.
int kill_everywhere(int points, Round round) {
  std::optional<TempDir> dir;
  int killed = 0;
  for (int point = 1; point <= points; ++point) {
    if (!dir || round.fresh) dir.emplace(fast_folder());
    const std::string name = "kernel " + std::to_string(point);
    const pid_t victim = start_victim(dir->path(), name, point);
    if (!round.beside) killed += was_killed(victim) ? 1 : 0;
    {
      const FaultScope no_sync(Fault{});
      KernelCache survivor(options_for(dir->path()));
      const Found found = build(survivor, name);
      REQUIRE(found);
      REQUIRE(*found.entry == sample_entry(sample_key(name), 3000));
      REQUIRE(survivor.counters().lock_timeout == 0);
    }
    if (round.beside) killed += was_killed(victim) ? 1 : 0;
    if (round.fresh) check_directory(dir->path(), 1);
  }
  if (!round.fresh) check_directory(dir->path(), points);
  return killed;
}

void kill_in_rounds(int rounds) {
  const int points = calls_of_a_build();
  int killed = 0;
  for (int round = 0; round < rounds; ++round) {
    killed += kill_everywhere(points, {.beside = round / 2 % 2 == 1, .fresh = round % 2 == 0});
  }
  fmt::print("{} processes killed, at {} points of a build\n", killed, points);
  // A folder or an entry that another made saves calls: then the victim lives. Most do not.
  CHECK(points >= 40);
  CHECK(killed >= 40 * rounds);
}

}  // namespace

TEST_CASE("a process killed at any point of a build harms nobody") { kill_in_rounds(4); }

TEST_CASE("1000 processes killed at every point of a build harm nobody", "[bench]") {
  kill_in_rounds(25);
}
