// SPDX-License-Identifier: Apache-2.0
// A directory that cannot be written: the kernel is in use all the same, and one warning says why.
#include <fcntl.h>
#include <grp.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <csignal>

#include "runtime/cache/kernel_cache.h"
#include "tests/runtime/support.h"

using namespace barline::runtime;
using namespace barline::runtime::test;
namespace fs = std::filesystem;

namespace {

/// Builds five kernels against a directory whose writes fail: 0 when every result is right, one
/// warning holds `errno_name`, and the process stopped trying.
int build_with_failing_writes(const fs::path& dir, const std::string& errno_name) {
  std::vector<std::string> warnings;
  KernelCache cache(options_for(dir, &warnings));
  for (int i = 0; i < 5; ++i) {
    const KeyRecord key = sample_key("kernel " + std::to_string(i));
    const Entry wanted = sample_entry(key);
    const Found found =
        cache.get_or_build(key, sample_warm(std::to_string(i)), [&] { return wanted; });
    if (!found || found.source != Source::Built || *found.entry != wanted) return 1;
    if (cache.get_or_build(key, sample_warm(), [&] { return wanted; }).source != Source::Memory)
      return 2;
  }
  if (warnings.size() != 1) return 3;
  if (warnings[0].find(errno_name) == std::string::npos) return 4;
  if (warnings[0].find("cannot be written") == std::string::npos) return 5;
  if (cache.counters().publish_fail > 3) return 6;
  return files_below(dir, ".blc").empty() ? 0 : 7;
}

}  // namespace

TEST_CASE("a full disk or quota gives one warning and the right result") {
  TempDir dir;
  REQUIRE(DiskCache(options_for(dir.path())).store() != nullptr);
  CHECK(in_child([&] {
          std::signal(SIGXFSZ, SIG_IGN);
          const struct rlimit limit {
            100, 100
          };  // bytes a file may have: the write stops half way
          ::setrlimit(RLIMIT_FSIZE, &limit);
          return build_with_failing_writes(dir.path(), "EFBIG");
        }) == 0);
  CHECK(files_below(dir.path() / "v1" / "tmp", "").empty());
}

TEST_CASE("a directory without write permission gives one warning and the right result") {
  TempDir dir;
  const fs::path cache_dir = dir.path() / "cache";
  REQUIRE(DiskCache(options_for(cache_dir)).store() != nullptr);
  constexpr uid_t nobody = 65534;
  const bool root = ::geteuid() == 0;  // root may write anywhere, so the child becomes nobody
  if (root) {
    fs::permissions(dir.path(), fs::perms(0755));
    REQUIRE(::chown(cache_dir.c_str(), nobody, nobody) == 0);
    for (const auto& item : fs::recursive_directory_iterator(cache_dir)) {
      REQUIRE(::chown(item.path().c_str(), nobody, nobody) == 0);
    }
  }
  fs::permissions(cache_dir / "v1" / "tmp", fs::perms(0500));
  CHECK(in_child([&] {
          if (root &&
              (::setgroups(0, nullptr) != 0 || ::setgid(nobody) != 0 || ::setuid(nobody) != 0)) {
            return 90;
          }
          return build_with_failing_writes(cache_dir, "EACCES");
        }) == 0);
}

#ifndef __SANITIZE_ADDRESS__  // its own checks need descriptors
TEST_CASE("no file descriptors left gives the right result") {
  TempDir dir;
  REQUIRE(DiskCache(options_for(dir.path())).store() != nullptr);
  CHECK(in_child([&] {
          std::vector<std::string> warnings;
          KernelCache cache(options_for(dir.path(), &warnings));
          const struct rlimit limit { 3, 3 };  // stdin, stdout and stderr are open already
          ::setrlimit(RLIMIT_NOFILE, &limit);
          const Found found =
              cache.get_or_build(sample_key(), sample_warm(), [] { return sample_entry(); });
          if (!found || *found.entry != sample_entry()) return 1;
          return warnings.size() == 1 && warnings[0].find("EMFILE") != std::string::npos ? 0 : 2;
        }) == 0);
}
#endif

TEST_CASE("a builder's error, a damaged cubin and an empty result are the caller's to see") {
  TempDir dir;
  KernelCache cache(options_for(dir.path()));
  CHECK_THROWS_WITH(cache.get_or_build(sample_key(), sample_warm(),
                                       []() -> Entry { throw std::runtime_error("no such op"); }),
                    "no such op");
  CHECK_THROWS_WITH(
      cache.get_or_build(sample_key(), sample_warm(),
                         [] {
                           Entry entry = sample_entry();
                           entry.cubin.resize(100);
                           return entry;
                         }),
      Catch::Contains("kernel 'rms_norm.bf16' for sm_90a") && Catch::Contains("truncated"));
  CHECK_THROWS_WITH(cache.get_or_build(sample_key(), sample_warm(), [] { return Entry(); }),
                    Catch::Contains("it is empty"));
  CHECK(files_below(dir.path(), ".blc").empty());
  CHECK(cache.get_or_build(sample_key(), sample_warm(), [] { return sample_entry(); }).source ==
        Source::Built);
}
