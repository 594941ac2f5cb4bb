// SPDX-License-Identifier: Apache-2.0
// What a lookup costs: in memory, from the disk, and in a directory of 100 000 entries. Figures are
// printed; what is asserted is a multiple of them, so that a busy machine does not fail.
#include <barline_codegen_id.h>
#include <fmt/format.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <chrono>
#include <random>

#include "dsl/dsl.h"
#include "runtime/cache/maintain.h"
#include "runtime/host/names.h"
#include "runtime/jit/runtime.h"
#include "tests/runtime/support.h"
#include "tests/runtime/syscall_shim.h"

using namespace barline;
using namespace barline::runtime;
using namespace barline::runtime::test;

namespace {

using Clock = std::chrono::steady_clock;

template <typename F>
double us_of(F&& work) {
  const auto start = Clock::now();
  work();
  return std::chrono::duration<double, std::micro>(Clock::now() - start).count();
}

/// Prints the median and the 99th of a hundred, and returns the median.
double report(const char* what, std::vector<double> us) {
  std::ranges::sort(us);
  const double median = us[us.size() / 2];
  fmt::print("{:<44} {:>10.2f} us  (p99 {:.2f})\n", what, median, us[us.size() * 99 / 100]);
  return median;
}

}  // namespace

TEST_CASE("figures: a kernel found again", "[bench]") {
  TempDir dir;
  const dsl::KernelEntry kernel{.name = "rms_norm",
                                .doc = "",
                                .types = {ir::Elem::BF16},
                                .schedules = {},
                                .make = {},
                                .reference = {},
                                .bytes = {},
                                .library = "build-1"};
  ir::Schedule schedule{.name = "row256", .threads = 256, .vec = 8};
  schedule.streams = {{.of = "x"}, {.of = "w"}};
  const jit::Unit unit{.entry = &kernel,
                       .elem = ir::Elem::BF16,
                       .config = {.schedule = schedule, .dims = {{"d", 4096}}},
                       .target = ir::find_target("sm_90a")};
  runtime::Options options;
  options.cache = options_for(dir.path());
  KernelCache(options.cache)
      .get_or_build(sample_key(), jit::warm_key(unit, jit::pinned_assembler),
                    [] { return sample_entry(sample_key(), 40000); });

  jit::Runtime runtime(options);
  std::vector<double> memory, disk;
  for (int round = 0; round < 200; ++round) {
    jit::Runtime fresh(options);
    disk.push_back(us_of([&] { REQUIRE(fresh.find(unit).source == Source::Disk); }));
  }
  runtime.find(unit);
  constexpr int batch = 1000;
  for (int round = 0; round < 200; ++round) {
    memory.push_back(us_of([&] {
                       for (int i = 0; i < batch; ++i) runtime.find(unit);
                     }) /
                     batch);
  }
  CHECK(report("found again in memory", memory) < 10);
  CHECK(report("found on disk by a fresh runtime, 40 KB", disk) < 10000);
}

TEST_CASE("figures: a name among 10 000 warm keys", "[bench]") {
  TempDir dir;
  const CacheOptions options = options_for(dir.path());
  KernelCache cache(options);
  const auto warm = [](int i) {
    return WarmKey{.kernel = "k of build-1",
                   .config = fmt::format("k{}.f32@s threads=256", i),
                   .target = "sm_90a",
                   .codegen_id = BARLINE_CODEGEN_ID,
                   .assembler = "ptxas 13.0",
                   .options = ""};
  };
  for (int i = 0; i < 10'000; ++i) REQUIRE(cache.disk().publish_warm(warm(i), sample_key().hash()));
  std::vector<double> us;
  for (int i = 0; i < 200; ++i)
    us.push_back(us_of([&] {
      REQUIRE(named_entries(cache.disk(), fmt::format("k{}.f32@s", 50 * i)).size() == 1);
    }));
  CHECK(report("a name among 10 000 warm keys", us) < 2000);
}

TEST_CASE("figures: 100 000 entries", "[bench]") {
  constexpr int entries = 100000;
  TempDir dir;
  const auto key = [](int i) { return sample_key("kernel " + std::to_string(i)); };
  CacheOptions options = options_for(dir.path());
  options.max_files = ~0ull;
  {
    const FaultScope no_sync(Fault{});
    DiskCache fill(options);
    for (int i = 0; i < entries; ++i)
      REQUIRE(fill.publish(key(i).hash(), sample_entry(key(i), 4000)));
  }
  DiskCache cache(options);
  std::mt19937 random(1);
  std::vector<double> hit, miss;
  for (int round = 0; round < 5000; ++round) {
    const Hash256 there = key(static_cast<int>(random() % entries)).hash();
    const Hash256 absent = key(entries + round).hash();
    hit.push_back(us_of([&] { REQUIRE(cache.find(there)); }));
    miss.push_back(us_of([&] { REQUIRE_FALSE(cache.find(absent)); }));
  }
  CHECK(report("hit among 100 000 entries", hit) < 2000);
  CHECK(report("miss among 100 000 entries", miss) < 2000);
  const Store& store = *cache.store();
  CHECK(report("gc with nothing to remove",
               {us_of([&] { CHECK(cache_collect(store, ~0ull, ~0ull).removed == 0); })}) < 20e6);
  CHECK(report("gc down to 80 000",
               {us_of([&] { CHECK(cache_collect(store, ~0ull, 99999).kept == 80000); })}) < 20e6);
  CHECK(report("gc down to the default cap of 20 000",
               {us_of([&] { CHECK(cache_collect(store, ~0ull, 20000).kept == 16000); })}) < 20e6);
}
