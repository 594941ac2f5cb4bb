// SPDX-License-Identifier: Apache-2.0
// A host without a compiler that loads one: what neither packs nor cache hold is compiled from a
// library of kernels, and is in the cache from then on.
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "runtime/abi/barline.h"
#include "runtime/host/host.h"
#include "tests/host/samples.h"
#include "tests/runtime/fake_driver.h"

using namespace barline;
using namespace barline::runtime;
using driver::test::FakeDriver;
using runtime::test::TempDir;

namespace {

constexpr const char* vector_add = "vector_add.f32@flat256";
const std::filesystem::path kernels = BARLINE_BINARY_DIR "/lib/libbarline_kernels.so.0";

/// A host on a fake GPU of sm_90 that may compile.
struct Bench {
  FakeDriver fake;
  TempDir dir;

  Options options(Jit jit = Jit::On) {
    const Options environment = options_from_environment();
    Options o;
    o.cache = runtime::test::options_for(dir.path() / "cache");
    o.driver = fake.options();
    o.jit = jit;
    o.ptxas = environment.ptxas;
    o.cuda_home = environment.cuda_home;
    o.kernels = {kernels};
    return o;
  }
};

/// A C host's runtime over the driver that is a file, its cache in `cache`.
struct Opened {
  barline_runtime* runtime = nullptr;
  barline_status status;
  Opened(const std::string& cache, barline_jit jit, const char* assembler = nullptr) {
    const std::string path = kernels.string();
    barline_options options{};
    options.struct_size = sizeof options;
    options.cache_dir = cache.c_str();
    options.libcuda = BARLINE_BINARY_DIR "/lib/libbarline_fake_cuda.so";
    options.jit = jit;
    options.kernels = path.c_str();
    options.assembler = assembler;
    status = barline_runtime_open(&options, &runtime);
  }
  ~Opened() { barline_runtime_close(runtime); }

  barline_status prepare(const char* name, const char* bind, barline_kernel** kernel) {
    barline_request request{};
    request.struct_size = sizeof request;
    request.name = name;
    request.bind = bind;
    return barline_prepare(runtime, &request, kernel);
  }
};

std::string last_message() {
  return nlohmann::json::parse(barline_last_error_json())["message"].get<std::string>();
}

}  // namespace

TEST_CASE("a miss is compiled, kept, and found by a host that may not compile", "[ptxas]") {
  Bench bench;
  {
    Host host(bench.options());
    const auto built = host.prepare({.name = vector_add});
    CHECK(built->source() == Source::Built);
    CHECK(built->metadata().target == "sm_90a");
    CHECK(host.prepare({.name = vector_add})->source() == Source::Memory);
    CHECK(bench.fake.count("cuLibraryLoadData") == 1);  // the loaded code is shared
    const auto bound = host.prepare({.name = vector_add, .bind = "n=4096"});
    CHECK(bound->signature().axes.empty());
  }
  Host off(bench.options(Jit::Off));
  CHECK(off.prepare({.name = vector_add})->source() == Source::Disk);
  Options plain = bench.options(Jit::Off);
  plain.kernels.clear();
  CHECK_THROWS_WITH(Host(plain).prepare({.name = vector_add}),
                    Catch::Contains("means 2 entries of the cache"));
}

TEST_CASE("with compiling off a miss names the key") {
  Bench bench;
  Host host(bench.options(Jit::Off));
  try {
    host.prepare({.name = vector_add});
    FAIL("found");
  } catch (const KernelNotFound& e) {
    CHECK_THAT(e.what(), Catch::Contains("vector_add.f32@flat256") && Catch::Contains("sm_90a") &&
                             Catch::Contains("codegen_id") && Catch::Contains("compiling is off"));
  }
}

TEST_CASE("a kernel that no library has is not found, with the names that there are") {
  Bench bench;
  Host host(bench.options());
  CHECK_THROWS_WITH(host.prepare({.name = "no_such.f32@s"}),
                    Catch::Contains("no kernel 'no_such.f32@s'") && Catch::Contains("there are "));
  const auto names = host.names();
  CHECK(std::ranges::find(names, vector_add) != names.end());
  CHECK(names.size() > 40);
}

TEST_CASE("a library that is none, or brings no compiler, is refused with the fix") {
  Bench bench;
  Options o = bench.options();
  o.kernels = {"/absent/libkernels.so"};
  CHECK_THROWS_WITH(Host(o), Catch::Contains("kernel library '/absent/libkernels.so'") &&
                                 Catch::Contains("cannot be loaded") &&
                                 Catch::Contains("libbarline_kernels.so.0"));
  o.kernels = {BARLINE_BINARY_DIR "/lib/libbarline_fake_cuda.so"};
  CHECK_THROWS_WITH(Host(o), Catch::Contains("brings no compiler along") &&
                                 Catch::Contains("link it to barline"));
  o.kernels = {kernels, BARLINE_BINARY_DIR "/lib/libbarline_fake_cuda.so"};
  CHECK_THROWS_WITH(Host(o), Catch::Contains("ABI stamp"));
}

TEST_CASE("a C host compiles, and a compile that fails has a status of its own", "[ptxas]") {
  TempDir dir;
  Opened o((dir.path() / "cache").string(), BARLINE_JIT_ON);
  REQUIRE(o.status == BARLINE_OK);
  barline_kernel* kernel = nullptr;
  REQUIRE(o.prepare(vector_add, nullptr, &kernel) == BARLINE_OK);
  barline_kernel_info info{};
  info.struct_size = sizeof info;
  REQUIRE(barline_kernel_query(kernel, &info) == BARLINE_OK);
  CHECK(std::string(info.entry) == "vector_add_f32_flat256");
  barline_kernel_release(kernel);
  CHECK(o.prepare(vector_add, "n=", &kernel) == BARLINE_INVALID_ARGUMENT);
  CHECK_THAT(last_message(), Catch::Contains("'n=' is no axis with its size"));
  CHECK(o.prepare(vector_add, "rows=8", &kernel) == BARLINE_COMPILE_ERROR);
  CHECK_THAT(last_message(), Catch::Contains("kernel 'vector_add.f32@flat256' for sm_90a") &&
                                 Catch::Contains("rows"));
}

TEST_CASE("a C host names the assembler, and is told what a wrong name may be") {
  TempDir dir;
  Opened wrong((dir.path() / "cache").string(), BARLINE_JIT_ON, "nvcc");
  CHECK(wrong.status == BARLINE_INVALID_ARGUMENT);
  CHECK(last_message() == "options.assembler is 'nvcc'; pass auto, ptxas, nvjitlink or driver");
  Opened off((dir.path() / "cache").string(), BARLINE_JIT_OFF, "nvjitlink");
  barline_kernel* kernel = nullptr;
  CHECK(off.prepare(vector_add, nullptr, &kernel) == BARLINE_NOT_FOUND);
  CHECK_THAT(last_message(), Catch::Contains("nvJitLink"));
  CHECK(std::string(barline_status_name(BARLINE_COMPILE_ERROR)) == "BARLINE_COMPILE_ERROR");
}
