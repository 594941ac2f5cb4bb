// SPDX-License-Identifier: Apache-2.0
// How prepared kernels are launched, from the metadata of their cache entries alone: tensor maps,
// persistent grids, clusters and programmatic launches, seen by a fake driver.
#include <atomic>
#include <catch2/catch.hpp>
#include <cstring>
#include <thread>

#include "dsl/dsl.h"
#include "runtime/jit/runtime.h"
#include "tests/runtime/fake_driver.h"
#include "tests/runtime/support.h"

using namespace barline;
using driver::test::FakeDriver;

namespace {

const dsl::KernelEntry& entry() {
  static const dsl::KernelEntry e{.name = "k",
                                  .doc = "",
                                  .types = {ir::Elem::F16},
                                  .schedules = {{.name = "s", .threads = 128}},
                                  .make = {},
                                  .reference = {},
                                  .bytes = {},
                                  .library = "build-1"};
  return e;
}

/// A fake device of 4 SMs that hold 2 blocks each, and `clusters` clusters in all.
struct Fake : FakeDriver {
  explicit Fake(int n) { clusters = n; }
};

/// A kernel of the given metadata, prepared on a fake device.
struct Launched {
  Fake fake;
  runtime::test::TempDir dir;
  driver::Device device;
  jit::Runtime runtime;
  jit::Prepared prepared;

  explicit Launched(const runtime::Metadata& metadata, int clusters = 3)
      : fake(clusters),
        device(driver::Driver::load(fake.options())->device(0)),
        runtime(options(metadata)),
        prepared(runtime.prepare(device, entry(), ir::Elem::F16, config())) {}

  static dsl::Config config() {
    return {.schedule = entry().schedules[0], .dims = {}, .label = ""};
  }

  runtime::Options options(const runtime::Metadata& metadata) const {
    runtime::Options o;
    o.jit = runtime::Jit::Off;
    o.cache = runtime::test::options_for(dir.path());
    const jit::Unit unit{.entry = &entry(),
                         .elem = ir::Elem::F16,
                         .config = config(),
                         .target = ir::find_target("sm_90a")};
    runtime::KernelCache cache(o.cache);
    cache.get_or_build(runtime::test::sample_key(), jit::warm_key(unit, jit::pinned_assembler),
                       [&] {
                         runtime::Entry e = runtime::test::sample_entry();
                         e.metadata = metadata;
                         return e;
                       });
    return o;
  }

  void launch(std::span<const std::int64_t> sizes, jit::LaunchOptions with = {}) {
    const jit::Argument x[] = {jit::Argument::pointer(0x4000)};
    prepared.launch(reinterpret_cast<driver::abi::StreamHandle>(80), x, sizes, with);
  }
  bool has_attribute(driver::abi::LaunchAttributeId id) const {
    for (const auto& a : fake.launch_attributes)
      if (a.id == id) return true;
    return false;
  }
};

runtime::Metadata metadata(const std::string& signature) {
  runtime::Metadata m;
  m.kernel = m.entry = "k";
  m.target = "sm_90a";
  m.signature = signature;
  m.threads_x = 128;
  return m;
}

}  // namespace

TEST_CASE("a launch encodes each tensor map from its tensor and sizes") {
  Launched l(metadata("x:in:f16[m,K]|m:1,K:1|m/64,1,1|x:64x128:m:K;x:32x64s:m:K"));
  int seen = 0;
  l.fake.on_launch = [&](void** arguments) {
    std::int32_t m = 0, k = 0;
    std::memcpy(&m, arguments[1], 4);
    std::memcpy(&k, arguments[2], 4);
    CHECK((m == 5 && k == 264));
    for (int i = 0; i < 2; ++i) {
      CHECK(reinterpret_cast<std::uintptr_t>(arguments[3 + i]) % 64 == 0);
      CHECK(static_cast<driver::abi::TensorMap*>(arguments[3 + i])->opaque[0] == i + 1u);
    }
    ++seen;
  };
  l.launch(std::vector<std::int64_t>{5, 264});
  CHECK(seen == 1);
  REQUIRE(l.fake.maps.size() == 2);
  const FakeDriver::Map &a = l.fake.maps[0], &b = l.fake.maps[1];
  CHECK(a.type == driver::abi::TensorMapType::F16);
  CHECK(a.address == 0x4000);
  CHECK((a.rows == 5 && a.columns == 264 && a.row_bytes == 528));
  CHECK((a.box_rows == 64 && a.box_columns == 128));
  CHECK(a.swizzle == driver::abi::TensorMapSwizzle::None);
  CHECK(a.fill == driver::abi::TensorMapFill::Zeros);
  CHECK((b.box_rows == 32 && b.box_columns == 64));
  CHECK(b.swizzle == driver::abi::TensorMapSwizzle::Bytes128);
}

TEST_CASE("a launch like the one before takes its tensor maps again") {
  Launched l(metadata("x:in:f16[m,K]|m:1,K:8|m/64,1,1|x:64x128:m:K;x:32x64s:m:K"));
  const auto launch = [&](std::uint64_t address, std::vector<std::int64_t> sizes) {
    const jit::Argument args[] = {jit::Argument::pointer(address)};
    l.prepared.launch(nullptr, args, sizes);
    return l.fake.count("cuTensorMapEncodeTiled");
  };
  CHECK(launch(0x4000, {5, 264}) == 2);
  CHECK(launch(0x4000, {5, 264}) == 2);
  CHECK(launch(0x8000, {5, 264}) == 4);
  CHECK(launch(0x8000, {6, 264}) == 6);
  CHECK(launch(0x4000, {5, 264}) == 8);
  CHECK(l.fake.maps.back().address == 0x4000);
  l.fake.results["cuTensorMapEncodeTiled"] = driver::abi::Result::InvalidValue;
  CHECK_THROWS(launch(0x8000, {5, 264}));
  l.fake.results.clear();
  CHECK(launch(0x4000, {5, 264}) == 11);  // what failed half way is nobody's
  CHECK(launch(0x4000, {5, 264}) == 11);
}

TEST_CASE("threads that launch at once have each their own tensor maps") {
  Launched l(metadata("x:in:f16[m,K]|m:1,K:8|m/64,1,1|x:64x128:m:K"));
  std::atomic<int> wrong = 0;
  l.fake.on_launch = [&](void** arguments) {
    const auto address = *static_cast<std::uint64_t*>(arguments[0]);
    const auto* map = static_cast<driver::abi::TensorMap*>(arguments[3]);
    wrong += l.fake.maps.at(map->opaque[0] - 1).address != address;
  };
  std::vector<std::thread> threads;
  for (std::uint64_t t = 1; t <= 4; ++t)
    threads.emplace_back([&, t] {
      for (int i = 0; i < 500; ++i) {
        const jit::Argument args[] = {jit::Argument::pointer(0x4000 * (t + i % 2))};
        const std::int64_t sizes[] = {5, 264};
        l.prepared.launch(nullptr, args, sizes);
      }
    });
  for (std::thread& thread : threads) thread.join();
  CHECK(wrong == 0);
}

TEST_CASE("a tensor of one axis is one row, of any length") {
  Launched l(metadata("x:in:u32[n]|n:1|1,1,1|x:1x64:1:n"));
  l.launch(std::vector<std::int64_t>{7});
  REQUIRE(l.fake.maps.size() == 1);
  CHECK(l.fake.maps[0].type == driver::abi::TensorMapType::U32);
  CHECK((l.fake.maps[0].rows == 1 && l.fake.maps[0].columns == 7));
  CHECK(l.fake.maps[0].row_bytes == 32);
}

TEST_CASE("rows that the copy engine cannot take are refused with tensor, rule and fix") {
  Launched l(metadata("x:in:f16[m,K]|m:1,K:1|m/64,1,1|x:64x64:m:K"));
  CHECK_THROWS_WITH(l.launch(std::vector<std::int64_t>{5, 10}),
                    Catch::Contains("launch of 'k'") && Catch::Contains("tensor 'x'") &&
                        Catch::Contains("20 bytes") && Catch::Contains("multiple of 16") &&
                        Catch::Contains("pad axis 'K'"));
  CHECK(l.fake.count("cuLaunchKernelEx") == 0);
  CHECK_NOTHROW(l.launch(std::vector<std::int64_t>{1, 10}));  // one row has no next one
  const jit::Argument odd[] = {jit::Argument::pointer(0x4008)};
  const std::int64_t sizes[] = {5, 64};
  CHECK_THROWS_WITH(l.prepared.launch(nullptr, odd, sizes), Catch::Contains("align it to 16"));
}

TEST_CASE("what no map can say is refused when the kernel is prepared") {
  CHECK_THROWS_WITH(Launched(metadata("x:in:s4[m,K]|m:1,K:1|1,1,1|x:64x64:m:K")),
                    Catch::Contains("'x' of s4") && Catch::Contains("declare it as words"));
  std::string many = "x:in:f16[m,K]|m:1,K:1|1,1,1|x:1x64:m:K";
  for (int i = 2; i <= 17; ++i) many += ";x:" + std::to_string(i) + "x64:m:K";
  CHECK_THROWS_WITH(Launched(metadata(many)), Catch::Contains("17 tensor maps"));
}

TEST_CASE("a failing map names the tensor and its shape") {
  Launched l(metadata("x:in:f16[m,K]|m:1,K:1|m/64,1,1|x:64x64:m:K"));
  l.fake.results["cuTensorMapEncodeTiled"] = driver::abi::Result::InvalidValue;
  CHECK_THROWS_WITH(l.launch(std::vector<std::int64_t>{5, 64}),
                    Catch::Contains("cuTensorMapEncodeTiled") &&
                        Catch::Contains("x: 5 x 64 elements of 2 bytes at 0x4000"));
}

TEST_CASE("a persistent kernel is launched as often as it fits, at most once a tile") {
  runtime::Metadata m = metadata("x:in:f16[m,K]|m:1,K:1|m/64,K/64,1");
  m.persistent = true;
  Launched l(m);
  l.launch(std::vector<std::int64_t>{640, 640});  // 100 tiles, 4 SMs of 2 blocks
  CHECK((l.fake.launch.grid_x == 8 && l.fake.launch.grid_y == 1 && l.fake.launch.grid_z == 1));
  l.launch(std::vector<std::int64_t>{65, 192});
  CHECK((l.fake.launch.grid_x == 6 && l.fake.launch.grid_y == 1));
}

TEST_CASE("a kernel of clusters is launched in whole ones") {
  runtime::Metadata m = metadata("x:in:f16[m,K]|m:1,K:1|m/64,2,1");
  m.cluster_x = 2;
  Launched l(m);
  l.launch(std::vector<std::int64_t>{129, 64});
  CHECK((l.fake.launch.grid_x == 4 && l.fake.launch.grid_y == 2));
  REQUIRE(l.has_attribute(driver::abi::LaunchAttributeId::ClusterDimension));
  CHECK(l.fake.launch_attributes[0].value.cluster.x == 2);
}

TEST_CASE("a persistent kernel of clusters is launched in whole ones, as many as fit") {
  runtime::Metadata m = metadata("x:in:f16[m,K]|m:1,K:1|m/64,1,1");
  m.cluster_x = 4;
  m.persistent = true;
  Launched l(m);  // 3 clusters fit
  auto blocks = [&](std::int64_t tiles) {
    l.launch(std::vector<std::int64_t>{64 * tiles, 64});
    CHECK((l.fake.launch.grid_y == 1 && l.fake.launch.grid_z == 1));
    return l.fake.launch.grid_x;
  };
  CHECK(blocks(1) == 4);
  CHECK(blocks(9) == 12);
  CHECK(blocks(11) == 12);
  CHECK(blocks(13) == 12);
  CHECK(blocks(100) == 12);
}

TEST_CASE("whether a cluster fits is asked when the kernel is prepared, and not again") {
  runtime::Metadata m = metadata("x:in:f16[m,K]|m:1,K:1|m/64,1,1");
  Launched plain(m, 0);
  CHECK(plain.fake.count("cuOccupancyMaxActiveClusters") == 0);
  m.cluster_x = 2;
  Launched l(m, 1);
  CHECK(l.fake.count("cuOccupancyMaxActiveClusters") >= 1);
  l.fake.calls.clear();
  l.launch(std::vector<std::int64_t>{640, 64});  // the others wait for their turn
  CHECK(l.fake.calls == std::vector<std::string>{"cuLaunchKernelEx"});
  CHECK(l.fake.launch.grid_x == 10);
}

TEST_CASE("a kernel whose cluster does not fit is refused with place, rule and fix") {
  runtime::Metadata m = metadata("x:in:f16[m,K]|m:1,K:1|m/64,1,1");
  m.cluster_x = 2;
  m.dynamic_smem = 4096;
  for (bool persistent : {false, true}) {
    m.persistent = persistent;
    CHECK_THROWS_WITH(
        Launched(m, 0),
        Catch::Contains("kernel 'k'") &&
            Catch::Contains("no cluster of 2 blocks, each of 128 threads and 4096 bytes") &&
            Catch::Contains("fits on Fake GPU") && Catch::Contains("Choose a schedule"));
  }
}

TEST_CASE("blocks that wait for each other are launched only where all are resident") {
  runtime::Metadata m = metadata("x:in:f16[m,K]|m:1,K:1|m/64,2,1");
  m.cooperative = true;
  Launched l(m);  // 4 SMs of 2 blocks
  l.launch(std::vector<std::int64_t>{256, 64});
  CHECK((l.fake.launch.grid_x == 4 && l.fake.launch.grid_y == 2));
  l.fake.calls.clear();
  CHECK_THROWS_WITH(l.launch(std::vector<std::int64_t>{257, 64}),
                    Catch::Contains("launch of 'k'") &&
                        Catch::Contains("its 10 blocks wait for each other") &&
                        Catch::Contains("must be resident at once, and 8 fit") &&
                        Catch::Contains("launch fewer"));
  CHECK(l.fake.calls.empty());
}

TEST_CASE("a launch is programmatic where the caller asks and the kernel waits") {
  const std::vector<std::int64_t> sizes{64, 64};
  const auto id = driver::abi::LaunchAttributeId::ProgrammaticStreamSerialization;
  runtime::Metadata m = metadata("x:in:f16[m,K]|m:1,K:1|m/64,1,1");
  Launched never(m);
  never.launch(sizes, {.programmatic = true});
  CHECK(!never.has_attribute(id));  // it would read what the grid before still writes
  m.awaits_previous = true;
  Launched asked(m);
  asked.launch(sizes);
  CHECK(!asked.has_attribute(id));
  asked.launch(sizes, {.programmatic = true});
  CHECK(asked.has_attribute(id));
}
