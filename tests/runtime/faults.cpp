// SPDX-License-Identifier: Apache-2.0
// A fault at every file call that the cache makes, with every errno that file systems are known
// for: the kernel is right, one warning at most says why it is not kept, and the directory is none
// the worse for it.
#include <catch2/catch.hpp>
#include <cerrno>
#include <cstring>
#include <set>

#include "runtime/cache/kernel_cache.h"
#include "runtime/cache/maintain.h"
#include "tests/runtime/support.h"
#include "tests/runtime/syscall_shim.h"

using namespace barline::runtime;
using namespace barline::runtime::test;
namespace fs = std::filesystem;

namespace {

constexpr int errors[] = {ENOSPC, EROFS, EACCES, EDQUOT, EMFILE, ESTALE, EBUSY, EIO};

/// What the directory holds before the fault.
enum class Start { NoFolder, Empty, Filled, Damaged, Full, InSeed };

CacheOptions options_of(const fs::path& dir, Start start, std::vector<std::string>& warnings) {
  CacheOptions options = options_for(dir / "cache", &warnings);
  if (start == Start::Full) options.max_files = 4;
  if (start == Start::InSeed) options.seeds = {dir / "seed"};
  return options;
}

void build(const CacheOptions& options, const std::string& name) {
  KernelCache(options).get_or_build(sample_key(name), sample_warm(name),
                                    [&] { return sample_entry(sample_key(name)); });
}

void prepare(const fs::path& dir, Start start) {
  const FaultScope no_fault(Fault{});
  fs::remove_all(dir / "cache");
  if (start == Start::NoFolder) return;
  const CacheOptions options = options_for(dir / "cache");
  if (start == Start::InSeed) build(options_for(dir / "seed"), "k");
  REQUIRE(DiskCache(options).store() != nullptr);
  if (start == Start::Filled || start == Start::Damaged) build(options, "k");
  if (start == Start::Damaged) {
    for (const fs::path& file : files_below(dir / "cache", ".blc")) write_bytes(file, {});
  }
  if (start == Start::Full) {
    for (int i = 0; i < 6; ++i) build(options, "old " + std::to_string(i));
    fs::last_write_time(dir / "cache/v1/locks/gc.lock",
                        fs::file_time_type::clock::now() - std::chrono::hours(1));
  }
}

/// A process's life: look the kernel up warm, build or find it, and find it again.
bool live(const CacheOptions& options) {
  KernelCache cache(options);
  const Entry wanted = sample_entry(sample_key("k"));
  Found found = cache.lookup_warm(sample_warm("k"));
  if (found && *found.entry != wanted) return false;
  found = cache.get_or_build(sample_key("k"), sample_warm("k"), [&] { return wanted; });
  if (!found || *found.entry != wanted) return false;
  return cache.lookup_warm(sample_warm("k")).source == Source::Memory;
}

bool kept(const fs::path& dir) {
  DiskCache cache(options_for(dir / "cache"));
  return cache.find_warm(sample_warm("k")) == sample_key("k").hash() &&
         cache.find(sample_key("k").hash());
}

/// Plants `fault` in a life that starts from `start`; empty, or what went wrong.
std::string after_fault(const fs::path& dir, Start start, const Fault& fault) {
  prepare(dir, start);
  std::vector<std::string> warnings;
  const CacheOptions options = options_of(dir, start, warnings);
  {
    const FaultScope scope(fault);
    if (!live(options)) return "the kernel is wrong";
  }
  // What is said beside the fault: that a file was damaged, or that the seed cannot be used either.
  const std::size_t beside = start == Start::Damaged || start == Start::InSeed ? 1 : 0;
  if (warnings.size() > 1 + beside) return "too many warnings: " + warnings.back();
  if (warnings.empty() && start != Start::InSeed && !kept(dir)) return "lost without a warning";
  warnings.clear();
  const FaultScope no_fault(Fault{});
  if (!live(options) || warnings.size() > (start == Start::Damaged ? 1 : 0)) {
    return "the directory is the worse for it";
  }
  DiskCache cache(options_for(dir / "cache"));
  if (!cache_verify(*cache.store(), false).bad.empty()) return "a bad file is left";
  cache_collect(*cache.store(), ~0ull, ~0ull);
  if (cache_stat(*cache.store()).temps != 0) return "a temporary is left";
  return {};
}

/// Calls that a life without faults makes.
int calls_of(const fs::path& dir, Start start, std::set<std::string>& names) {
  prepare(dir, start);
  std::vector<std::string> warnings;
  const CacheOptions options = options_of(dir, start, warnings);
  const FaultScope scope(Fault{});
  if (!live(options)) return 0;
  for (const auto& [name, count] : scope.names()) names.insert(name);
  return scope.calls();
}

/// A fault at each call of a life from `start`, alone and with all calls after it. Each meets every
/// step-th errno, its neighbours the others.
void check_faults(Start start, int step) {
  TempDir dir(fast_folder());
  std::set<std::string> names;
  const int calls = calls_of(dir.path(), start, names);
  REQUIRE(calls > 10);
  for (const bool and_after : {false, true}) {
    for (int at = 1; at <= calls; ++at) {
      for (std::size_t i = static_cast<std::size_t>(at % step); i < std::size(errors);
           i += static_cast<std::size_t>(step)) {
        const Fault fault{.error = errors[i], .at = at, .and_after = and_after};
        const std::string wrong = after_fault(dir.path(), start, fault);
        if (!wrong.empty())
          FAIL(strerrorname_np(errors[i])
               << " at call " << at << " of " << calls << (and_after ? " and after" : "")
               << " from start " << static_cast<int>(start) << ": " << wrong);
      }
    }
  }
}

}  // namespace

TEST_CASE("a fault at any call: the right kernel, one warning, and a good directory") {
  check_faults(GENERATE(Start::NoFolder, Start::Empty, Start::Filled, Start::Damaged, Start::Full,
                        Start::InSeed),
               4);
}

TEST_CASE("every errno at every call: the right kernel, one warning, and a good directory",
          "[bench]") {
  check_faults(GENERATE(Start::NoFolder, Start::Empty, Start::Filled, Start::Damaged, Start::Full,
                        Start::InSeed),
               1);
}

TEST_CASE("collecting at any moment of another's build takes nothing from it") {
  const Start start = GENERATE(Start::NoFolder, Start::Empty, Start::Filled);
  TempDir dir(fast_folder());
  std::set<std::string> names;
  const int calls = calls_of(dir.path(), start, names);
  for (int at = 1; at <= calls; ++at) {
    prepare(dir.path(), start);
    std::vector<std::string> warnings;
    const auto collect = [&] {
      DiskCache other(options_for(dir.path() / "cache"));
      cache_collect(*other.store(), ~0ull, ~0ull);
    };
    {
      const FaultScope scope(Fault{.kind = Fault::Kind::Meanwhile, .at = at, .meanwhile = collect});
      REQUIRE(live(options_of(dir.path(), start, warnings)));
    }
    INFO("at call " << at << " of " << calls);
    CHECK(warnings.empty());
    CHECK(kept(dir.path()));
  }
}

TEST_CASE("the directory may go away at any moment") {
  TempDir dir(fast_folder());
  std::set<std::string> names;
  const int calls = calls_of(dir.path(), Start::Empty, names);
  for (int at = 1; at <= calls; ++at) {
    prepare(dir.path(), Start::Empty);
    std::vector<std::string> warnings;
    const CacheOptions options = options_of(dir.path(), Start::Empty, warnings);
    {
      const FaultScope scope(Fault{.kind = Fault::Kind::Meanwhile, .at = at, .meanwhile = [&] {
                                     fs::remove_all(dir.path() / "cache");
                                   }});
      REQUIRE(live(options));
    }
    INFO("at call " << at << " of " << calls);
    CHECK(warnings.size() <= 1);
    REQUIRE(live(options));
    CHECK(kept(dir.path()));
  }
}

TEST_CASE("every kind of file call is among those that faults were planted in") {
  TempDir dir(fast_folder());
  std::set<std::string> names;
  for (const Start start : {Start::NoFolder, Start::Damaged, Start::Full})
    calls_of(dir.path(), start, names);
  for (const char* name :
       {"open", "openat", "mkdirat", "fchmodat", "fchmod", "fstat", "read", "write", "fsync",
        "close", "renameat", "renameat2", "unlinkat", "flock", "futimens", "fdopendir", "fstatat"})
    CHECK(names.count(name) == 1);
}

TEST_CASE("short reads and writes are carried on, and a write that stops is one warning") {
  TempDir dir(fast_folder());
  const Start start = GENERATE(Start::Empty, Start::Filled);
  std::vector<std::string> warnings;
  prepare(dir.path(), start);
  const CacheOptions options = options_of(dir.path(), start, warnings);
  SECTION("half each time") {
    const FaultScope scope(Fault{.kind = Fault::Kind::Half, .at = 1, .and_after = true});
    CHECK(live(options));
    CHECK(scope.met());
    CHECK(warnings.empty());
  }
  SECTION("a disk that takes nothing and says nothing") {
    const FaultScope scope(
        Fault{.kind = Fault::Kind::Nothing, .at = 1, .and_after = true, .call = "write"});
    CHECK(live(options));
    CHECK(warnings.size() == (start == Start::Empty ? 1 : 0));
  }
  SECTION("a file that ends early is built again") {
    const FaultScope scope(Fault{.kind = Fault::Kind::Nothing, .at = 1, .call = "read"});
    CHECK(live(options));
    CHECK(warnings.size() <= 1);
  }
  CHECK((start == Start::Empty || kept(dir.path())));
}

TEST_CASE("an interrupted call is made again") {
  TempDir dir(fast_folder());
  for (const char* call : {"read", "write", "flock"}) {
    prepare(dir.path(), Start::Filled);
    std::vector<std::string> warnings;
    const CacheOptions options = options_of(dir.path(), Start::Filled, warnings);
    const FaultScope scope(Fault{.error = EINTR, .at = 1, .call = call});
    CHECK(live(options));
    CHECK(warnings.empty());
  }
}

TEST_CASE("the warning names the directory, the errno and what follows") {
  TempDir dir(fast_folder());
  prepare(dir.path(), Start::Empty);
  std::vector<std::string> warnings;
  const CacheOptions options = options_of(dir.path(), Start::Empty, warnings);
  {
    const FaultScope scope(Fault{.error = EDQUOT, .at = 1, .and_after = true, .call = "write"});
    REQUIRE(live(options));
  }
  REQUIRE(warnings.size() == 1);
  CHECK_THAT(warnings[0], Catch::Contains("cannot be written: EDQUOT") &&
                              Catch::Contains(dir.path().string()) &&
                              Catch::Contains("in use all the same"));
  warnings.clear();
  prepare(dir.path(), Start::Filled);
  {
    const FaultScope scope(Fault{.error = ESTALE, .at = 1, .and_after = true, .call = "read"});
    REQUIRE(live(options));
  }
  REQUIRE(warnings.size() == 1);
  CHECK_THAT(warnings[0], Catch::Contains("cannot be read: ESTALE") &&
                              Catch::Contains("compiled again and work all the same"));
}
