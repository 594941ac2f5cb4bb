// SPDX-License-Identifier: Apache-2.0
// Which entry a name leads to: packs before the cache, machine code before PTX, and no guess.
#include "runtime/host/host.h"

#include <barline_codegen_id.h>

#include <catch2/catch.hpp>

#include "runtime/host/fit.h"
#include "tests/host/samples.h"
#include "tests/runtime/fake_driver.h"

using namespace barline;
using namespace barline::runtime;
using namespace barline::runtime::test;
using driver::DeviceInfo;
using driver::abi::DeviceAttribute;
using driver::test::FakeDriver;

namespace {

constexpr const char* rms_norm = "rms_norm.bf16@row256";

/// A host on a fake GPU with a cache folder of its own.
struct Bench {
  FakeDriver fake;
  TempDir dir;
  std::vector<std::string> warnings;

  explicit Bench(int major = 9, int minor = 0) {
    fake.attributes[DeviceAttribute::ComputeCapabilityMajor] = major;
    fake.attributes[DeviceAttribute::ComputeCapabilityMinor] = minor;
  }
  Options options(Jit jit = Jit::On) {
    Options o;
    o.cache = options_for(dir.path() / "cache", &warnings);
    o.driver = fake.options();
    o.jit = jit;
    return o;
  }
  std::filesystem::path pack(const std::vector<PackItem>& items,
                             const std::string& file = "k.blp") {
    return write_pack(dir.path() / file, items);
  }
  /// Puts a kernel into the cache as a compile would.
  void fill(const std::string& kernel, const std::string& target, const std::string& build,
            const std::string& codegen_id = BARLINE_CODEGEN_ID) {
    KernelCache cache(options().cache);
    Entry entry = *sample_item(kernel, target).entry;
    KeyRecord key;
    key.add("ir", build).add("config", kernel + " threads=256").add("target", target);
    const WarmKey warm{.kernel = "rms_norm of " + build,
                       .config = kernel + " threads=256",
                       .target = target,
                       .codegen_id = codegen_id,
                       .assembler = "ptxas 13.0",
                       .options = ""};
    cache.get_or_build(key, warm, [&] { return entry; });
  }
};

std::string failure(Host& host, const KernelRequest& request) {
  try {
    host.prepare(request);
  } catch (const KernelNotFound& e) {
    return e.what();
  }
  return "";
}

}  // namespace

TEST_CASE("code fits a GPU by generation, PTX by age") {
  DeviceInfo d;
  const auto on = [&](int major, int minor) -> const DeviceInfo& {
    d.major = major;
    d.minor = minor;
    return d;
  };
  CHECK(cubin_fit("sm_80", on(8, 0)) == 80);
  CHECK(cubin_fit("sm_80", on(8, 9)) == 80);
  CHECK(cubin_fit("sm_89", on(8, 9)) == 89);
  CHECK_FALSE(cubin_fit("sm_89", on(8, 6)));
  CHECK_FALSE(cubin_fit("sm_80", on(9, 0)));
  CHECK(cubin_fit("sm_90a", on(9, 0)) == 90);
  CHECK_FALSE(cubin_fit("sm_90a", on(9, 1)));
  CHECK(cubin_fit("sm_120", on(12, 1)) == 120);
  CHECK_FALSE(cubin_fit("sm_90a", on(10, 0)));
  CHECK_FALSE(cubin_fit("turing", on(9, 0)));
  CHECK_FALSE(cubin_fit("sm_", on(9, 0)));
  CHECK(ptx_fit(".version 8.0\n.target sm_80\n", on(10, 0)) == 80);
  CHECK(ptx_fit(".target sm_90, debug\n", on(12, 0)) == 90);
  CHECK_FALSE(ptx_fit(".target sm_90a\n", on(10, 0)));
  CHECK_FALSE(ptx_fit(".target sm_90\n", on(8, 9)));
  CHECK_FALSE(ptx_fit("", on(9, 0)));
}

TEST_CASE("a pack serves the code that fits the GPU best") {
  Bench bench(8, 9);
  Host host(bench.options(Jit::Off));
  host.add_pack(bench.pack({sample_item(rms_norm, "sm_80", "sm_80"), sample_item(rms_norm, "sm_89"),
                            sample_item(rms_norm, "sm_90a")}));
  const auto kernel = host.prepare({.name = rms_norm});
  CHECK(kernel->metadata().target == "sm_89");
  CHECK(kernel->source() == Source::Pack);
  CHECK(host.names() == std::vector<std::string>{rms_norm});
}

TEST_CASE("sizes to compile for are met or refused, never left out") {
  const auto bound = [](const std::string& sizes) {
    return sample_item(rms_norm, "sm_90a", "", rms_norm_signature, sizes);
  };
  Bench bench;
  Host host(bench.options(Jit::Off));
  host.add_pack(bench.pack({bound(" K=64 d=8192")}, "bound.blp"));
  CHECK(host.prepare({.name = rms_norm})->source() == Source::Pack);
  for (const char* bind : {"d=8192", "K=64 d=8192", " d=8192  K=64"})
    CHECK(host.prepare({.name = rms_norm, .bind = bind})->source() == Source::Pack);
  for (const char* bind : {"d=819", "d=81920", "d=8192 K=32", "rows=8192", "threads=2"}) {
    const std::string why = failure(host, {.name = rms_norm, .bind = bind});
    INFO(why);
    CHECK(why.find("with bind '" + std::string(bind) + "'") != why.npos);
    CHECK(why.find("the packs have it for sm_90a, some of other sizes") != why.npos);
    CHECK(why.find("options.kernels") != why.npos);
  }
  bench.fill(rms_norm, "sm_90a", "a");
  CHECK(host.prepare({.name = rms_norm})->source() == Source::Pack);
  CHECK_FALSE(failure(host, {.name = rms_norm, .bind = "d=5120"}).empty());
  for (const char* bind : {"d", "d=", "=8", "d=0", "d=8k"})
    CHECK_THROWS_AS(host.prepare({.name = rms_norm, .bind = bind}), std::invalid_argument);
}

TEST_CASE("a name is found among many without reading their files") {
  Bench bench;
  for (const char* name : {"a.f32@s", "b.f32@s", rms_norm}) bench.fill(name, "sm_90a", "x");
  KernelCache cache(bench.options().cache);
  CHECK(named_entries(cache.disk()).size() == 3);
  const auto found = named_entries(cache.disk(), rms_norm);
  REQUIRE(found.size() == 1);
  CHECK(found[0].name == rms_norm);
  CHECK(named_entries(cache.disk(), "rms_norm.bf16").empty());
}

TEST_CASE("a GPU without machine code takes portable PTX, where compiling is allowed") {
  Bench bench(10, 0);
  const auto path =
      bench.pack({sample_item(rms_norm, "sm_80", "sm_80"), sample_item(rms_norm, "sm_120", "sm_90"),
                  sample_item(rms_norm, "sm_90a", "sm_90a")});
  Host host(bench.options());
  host.add_pack(path);
  CHECK(host.prepare({.name = rms_norm})->metadata().target == "sm_120");
  CHECK(bench.warnings.empty());

  Host off(bench.options(Jit::Off));
  off.add_pack(path);
  const std::string why = failure(off, {.name = rms_norm});
  CHECK_THAT(why, Catch::Contains("no kernel 'rms_norm.bf16@row256' for Fake GPU (sm_100)") &&
                      Catch::Contains("the packs have it for sm_80, sm_120, sm_90a") &&
                      Catch::Contains("jit is off") && Catch::Contains("barline pack"));
}

TEST_CASE("kernels that are prepared again share the code that is loaded") {
  Bench bench;
  Host host(bench.options());
  host.add_pack(bench.pack({sample_item(rms_norm, "sm_90a")}));
  const auto first = host.prepare({.name = rms_norm}), second = host.prepare({.name = rms_norm});
  CHECK(first->kernel().handle() == second->kernel().handle());
  CHECK(bench.fake.count("cuLibraryLoadData") == 1);
}

TEST_CASE("code that the driver compiled is held to its budget") {
  Bench bench(10, 0);
  PackItem item = sample_item(rms_norm, "sm_80", "sm_80");
  Entry tight = *item.entry;
  tight.metadata.registers = 39;  // the fake's kernels have 40
  item.entry = std::make_shared<const Entry>(tight);
  const auto path = bench.pack({item});
  Host host(bench.options());
  host.add_pack(path);
  host.prepare({.name = rms_norm});
  REQUIRE(bench.warnings.size() == 1);
  CHECK_THAT(bench.warnings[0], Catch::Contains("to 40 registers") && Catch::Contains("39"));

  Options strict = bench.options();
  strict.strict_budget = true;
  Host refusing(strict);
  refusing.add_pack(path);
  CHECK_THROWS_AS(refusing.prepare({.name = rms_norm}), OverBudget);
}

TEST_CASE("a filled cache serves by name what this compiler made") {
  Bench bench;
  bench.fill(rms_norm, "sm_90a", "build-1");
  bench.fill(rms_norm, "sm_80", "build-1");
  bench.fill("softmax.f32@row256", "sm_90a", "build-1", "another compiler");
  Host host(bench.options(Jit::Off));
  const auto kernel = host.prepare({.name = rms_norm});
  CHECK(kernel->metadata().target == "sm_90a");
  CHECK(kernel->source() == Source::Disk);
  CHECK(host.names() == std::vector<std::string>{rms_norm});
  CHECK_THAT(failure(host, {.name = "softmax.f32@row256"}),
             Catch::Contains("no kernel 'softmax.f32@row256'") &&
                 Catch::Contains("there are rms_norm.bf16@row256"));
}

TEST_CASE(
    "a name that means two entries of a cache is refused with their keys, either of which helps") {
  Bench bench;
  bench.fill(rms_norm, "sm_90a", "build-1");
  bench.fill(rms_norm, "sm_90a", "build-2");
  Host host(bench.options(Jit::Off));
  const std::string why = failure(host, {.name = rms_norm});
  CHECK_THAT(why, Catch::Contains("means 2 entries of the cache"));
  KeyRecord key;
  key.add("ir", "build-2")
      .add("config", std::string(rms_norm) + " threads=256")
      .add("target", "sm_90a");
  CHECK_THAT(why, Catch::Contains(key.hash().hex()));
  CHECK(host.prepare({.name = rms_norm, .key = key.hash().hex()})->key() == key);
  CHECK_FALSE(failure(host, {.name = rms_norm, .key = std::string(64, '0')}).empty());
}

TEST_CASE("a pack comes before the cache, an earlier pack before a later one") {
  Bench bench;
  bench.fill(rms_norm, "sm_90a", "build-1");
  Host host(bench.options());
  host.add_pack(bench.pack({sample_item(rms_norm, "sm_90a")}, "a.blp"));
  PackItem other = sample_item(rms_norm, "sm_90a");
  Entry changed = *other.entry;
  changed.metadata.registers = 41;
  other.entry = std::make_shared<const Entry>(changed);
  host.add_pack(bench.pack({other}, "b.blp"));
  CHECK(host.prepare({.name = rms_norm})->metadata().registers == 40);
  CHECK(host.prepare({.name = rms_norm})->source() == Source::Pack);
}

TEST_CASE("nothing is prepared on a stream that is being captured, nor without a name") {
  Bench bench;
  Host host(bench.options());
  host.add_pack(bench.pack({sample_item(rms_norm, "sm_90a")}));
  const auto stream = reinterpret_cast<driver::abi::StreamHandle>(80);
  bench.fake.capturing = true;
  CHECK_THROWS_WITH(host.prepare({.name = rms_norm, .stream = stream}),
                    Catch::Contains("'rms_norm.bf16@row256'") && Catch::Contains("being captured"));
  CHECK(bench.fake.count("cuLibraryLoadData") == 0);
  bench.fake.capturing = false;
  CHECK_NOTHROW(host.prepare({.name = rms_norm, .stream = stream}));
  CHECK_THROWS_AS(host.prepare({}), std::invalid_argument);
}

TEST_CASE("loading lets other threads' captures go on") {
  Bench bench;
  Host host(bench.options());
  host.add_pack(bench.pack({sample_item(rms_norm, "sm_90a")}));
  host.prepare({.name = rms_norm});
  const auto& calls = bench.fake.calls;
  const auto relaxed = std::find(calls.begin(), calls.end(), "cuThreadExchangeStreamCaptureMode");
  const auto load = std::find(calls.begin(), calls.end(), "cuLibraryLoadData");
  REQUIRE(load != calls.end());
  CHECK(relaxed < load);
  const auto unload = std::find(calls.begin(), calls.end(), "cuLibraryUnload");
  REQUIRE(unload != calls.end());  // the kernel was not kept
  CHECK(unload[-1] == "cuThreadExchangeStreamCaptureMode");
  CHECK(unload[1] == "cuThreadExchangeStreamCaptureMode");
  CHECK(bench.fake.count("cuThreadExchangeStreamCaptureMode") % 2 == 0);
}
