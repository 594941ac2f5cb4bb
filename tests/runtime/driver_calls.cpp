// SPDX-License-Identifier: Apache-2.0
// The driver wrappers against a fake driver: what they ask of it, and that every result that is not
// success reaches the caller with the name of the call.
#include <catch2/catch.hpp>
#include <cstring>

#include "runtime/driver/buffer.h"
#include "runtime/driver/graph.h"
#include "runtime/driver/launch.h"
#include "runtime/driver/timing.h"
#include "tests/runtime/every_call.h"
#include "tests/runtime/fake_driver.h"

using namespace barline::driver;
using barline::driver::test::FakeDriver;
using barline::driver::test::quiet;
using barline::driver::test::use_everything;

namespace {

const std::vector<std::byte> image(16);

}  // namespace

TEST_CASE("a failing driver call reaches the caller with its name, whichever it is") {
  FakeDriver clean;
  use_everything(clean);
  std::set<std::string> used(clean.calls.begin(), clean.calls.end());
  CHECK(used.size() > 45);
  for (const std::string& name : used) {
    CAPTURE(name);
    FakeDriver fake;
    fake.results[name] = abi::Result::OutOfMemory;
    if (quiet.count(name) != 0) {
      CHECK_NOTHROW(use_everything(fake));
      continue;
    }
    try {
      use_everything(fake);
      FAIL("no error");
    } catch (const Error& error) {
      CHECK(error.code() == abi::Result::OutOfMemory);
      CHECK(error.code_name() == "CUDA_ERROR_OUT_OF_MEMORY");
      CHECK(error.call().rfind(name, 0) == 0);
      CHECK_THAT(error.what(), Catch::Contains("CUDA_ERROR_OUT_OF_MEMORY (2): as told"));
    }
  }
}

TEST_CASE("any one call that fails, at whatever place, is an error or is undone quietly") {
  FakeDriver clean;
  use_everything(clean);
  std::size_t errors = 0;
  for (std::size_t at = 0; at < clean.calls.size(); ++at) {
    CAPTURE(at, clean.calls[at]);
    FakeDriver fake;
    fake.results_at[at] = abi::Result::LaunchFailed;
    bool failed = false;
    try {
      use_everything(fake);
    } catch (const Error& error) {
      failed =
          error.code() == abi::Result::LaunchFailed && error.call().rfind(clean.calls[at], 0) == 0;
      CHECK(failed);
    }
    errors += failed;
    // Quiet are what destructors call, what makes way for it, and the way back to the caller's
    // capture mode.
    const bool back = clean.calls[at] == "cuThreadExchangeStreamCaptureMode";
    const bool makes_way = at + 1 < clean.calls.size() && quiet.count(clean.calls[at + 1]) != 0;
    CHECK((failed || back || makes_way || quiet.count(clean.calls[at]) != 0));
    // The failed call itself took nothing (but the fake filled in a handle); all that others took
    // is given back.
    const bool entering = clean.calls[at] == "cuCtxPushCurrent";
    CHECK(fake.count("cuLibraryLoadData") == fake.count("cuLibraryUnload"));
    CHECK(fake.count("cuCtxPushCurrent") == fake.count("cuCtxPopCurrent") + entering);
  }
  CHECK(errors > 100);
}

TEST_CASE("every entry point of cuda.def is called in these tests, or says why not") {
  FakeDriver fake;
  use_everything(fake);
  const std::set<std::string> used(fake.calls.begin(), fake.calls.end());
  std::vector<std::string> unused;
#define DRIVER_FN(name, version, parameters) \
  if (used.count(#name) == 0) unused.push_back(#name);
#include "runtime/driver/cuda.def"
#undef DRIVER_FN
  const std::vector<std::string> elsewhere{
      "cuGetErrorName",    // asked after an error only
      "cuGetErrorString",  // the same
      "cuLaunchKernel",    // of benchmarks alone, to compare our launch with
  };
  CHECK(unused == elsewhere);
}

TEST_CASE("everything that is taken is given back, after an error too") {
  for (const char* failing :
       {"", "cuGraphInstantiateWithFlags", "cuStreamSynchronize", "cuEventRecord"}) {
    CAPTURE(failing);
    FakeDriver fake;
    if (*failing != '\0') fake.results[failing] = abi::Result::LaunchFailed;
    try {
      use_everything(fake);
    } catch (const Error&) {
    }
    CHECK(fake.count("cuDevicePrimaryCtxRetain") == fake.count("cuDevicePrimaryCtxRelease"));
    CHECK(fake.count("cuCtxPushCurrent") == fake.count("cuCtxPopCurrent"));
    CHECK(fake.count("cuLibraryLoadData") == fake.count("cuLibraryUnload"));
    CHECK(fake.count("cuMemAlloc") == fake.count("cuMemFree"));
    CHECK(fake.count("cuStreamCreate") == fake.count("cuStreamDestroy"));
    CHECK(fake.count("cuEventCreate") == fake.count("cuEventDestroy"));
    CHECK(fake.count("cuStreamBeginCapture") == fake.count("cuStreamEndCapture"));
    CHECK(fake.count("cuStreamEndCapture") == fake.count("cuGraphDestroy"));
  }
}

TEST_CASE("a launch is one driver call with the shape and attributes asked for") {
  FakeDriver fake;
  const auto driver = Driver::load(fake.options());
  const Device device = driver->device(0);
  const Library library = Library::from_image(device, image, "k.cubin");
  const Kernel kernel = library.kernel("k");
  const Stream stream(device);
  int value = 7;
  void* arguments[] = {&value};
  fake.calls.clear();

  launch(kernel, {.grid = {3, 2, 1}, .block = {128, 2, 1}, .dynamic_shared_bytes = 512},
         stream.handle(), arguments);
  CHECK(fake.calls == std::vector<std::string>{"cuLaunchKernelEx"});
  CHECK(fake.launch.grid_x == 3);
  CHECK(fake.launch.grid_y == 2);
  CHECK(fake.launch.block_x == 128);
  CHECK(fake.launch.block_y == 2);
  CHECK(fake.launch.dynamic_shared_bytes == 512);
  CHECK(fake.launch.stream == stream.handle());
  CHECK(fake.launch_parameters == arguments);
  CHECK(fake.launch_attributes.empty());

  launch(kernel, {.cluster = {2, 1, 1}, .cooperative = true, .programmatic = true}, stream.handle(),
         arguments);
  REQUIRE(fake.launch_attributes.size() == 3);
  CHECK(fake.launch_attributes[0].id == abi::LaunchAttributeId::Cooperative);
  CHECK(fake.launch_attributes[0].value.cooperative == 1);
  CHECK(fake.launch_attributes[1].id == abi::LaunchAttributeId::ClusterDimension);
  CHECK(fake.launch_attributes[1].value.cluster.x == 2);
  CHECK(fake.launch_attributes[2].id == abi::LaunchAttributeId::ProgrammaticStreamSerialization);

  const std::vector<std::byte> packed(24, std::byte{5});
  launch_packed(kernel, {}, stream.handle(), packed);
  CHECK(fake.launch_packed == packed);

  fake.calls.clear();
  launch(kernel, {}, nullptr, arguments);  // the default stream: of the kernel's device
  CHECK(fake.calls == std::vector<std::string>{"cuCtxGetCurrent", "cuCtxPushCurrent",
                                               "cuLaunchKernelEx", "cuCtxPopCurrent"});
}

TEST_CASE("a failing launch names kernel and shape") {
  FakeDriver fake;
  const auto driver = Driver::load(fake.options());
  const Device device = driver->device(0);
  const Library library = Library::from_image(device, image, "k.cubin");
  const Kernel kernel = library.kernel("k");
  const Stream stream(device);
  fake.results["cuLaunchKernelEx"] = abi::Result::LaunchOutOfResources;
  CHECK_THROWS_WITH(
      launch(kernel, {.grid = {3}, .block = {64}, .cooperative = true}, stream.handle(), nullptr),
      Catch::Contains("kernel 'k', grid 3x1x1, block 64x1x1") && Catch::Contains("cooperative"));
}

TEST_CASE("limits of the device are checked before the driver is asked") {
  FakeDriver fake;
  fake.static_shared = 1024;
  const auto driver = Driver::load(fake.options());
  const Device device = driver->device(0);
  const Library library = Library::from_image(device, image, "k.cubin");
  const Kernel kernel = library.kernel("k");
  CHECK_NOTHROW(kernel.set_max_dynamic_shared((227 << 10) - 1024));
  CHECK_THROWS_WITH(
      kernel.set_max_dynamic_shared((227 << 10) - 1023),
      Catch::Contains("kernel 'k' needs 232449 bytes") && Catch::Contains("allows 232448"));
  CHECK(fake.count("cuKernelSetAttribute") == 1);
  CHECK_NOTHROW(check_shape(kernel, {.grid = {8}, .block = {128}, .cooperative = true}));
  CHECK_THROWS_WITH(check_shape(kernel, {.grid = {9}, .block = {128}, .cooperative = true}),
                    Catch::Contains("its 9 blocks must be resident at once, and 8 fit"));
  CHECK_THROWS_WITH(check_shape(kernel, {.grid = {0}}), Catch::Contains("extent is zero"));
  CHECK_THROWS_WITH(check_shape(kernel, {.block = {1025}}),
                    Catch::Contains("1025 threads a block"));
  CHECK(resident_blocks(kernel, {.cluster = {2}}) == 6);
  CHECK_NOTHROW(check_shape(kernel, {.grid = {20}, .cluster = {2}}));
  fake.clusters = 0;
  CHECK_THROWS_WITH(
      check_shape(kernel,
                  {.grid = {2}, .block = {96}, .dynamic_shared_bytes = 512, .cluster = {2}}),
      Catch::Contains("kernel 'k': no cluster of 2 blocks, each of 96 threads and 512 bytes") &&
          Catch::Contains("fits on Fake GPU") && Catch::Contains("without clusters"));

  FakeDriver small;
  small.attributes[abi::DeviceAttribute::ClusterLaunch] = 0;
  const auto other = Driver::load(small.options());
  const Device plain = other->device(0);
  const Library library2 = Library::from_image(plain, image, "k.cubin");
  CHECK_THROWS_WITH(check_shape(library2.kernel("k"), {.cluster = {2}}),
                    Catch::Contains("launches in clusters, which sm_90 has not"));
}

TEST_CASE("errors of loading say what was loaded and what to do") {
  FakeDriver fake;
  const auto driver = Driver::load(fake.options());
  const Device device = driver->device(0);
  fake.results["cuLibraryLoadData"] = abi::Result::NoBinaryForGpu;
  CHECK_THROWS_WITH(
      Library::from_image(device, image, "k.cubin"),
      Catch::Contains("k.cubin: 16 bytes of code built for another GPU than Fake GPU (sm_90)"));
  fake.results["cuLibraryLoadData"] = abi::Result::UnsupportedPtxVersion;
  CHECK_THROWS_WITH(Library::from_ptx(device, ".version 9.9", "k"),
                    Catch::Contains("older than the PTX") && Catch::Contains("line 3: syntax"));
  fake.results.clear();
  const Library library = Library::from_ptx(device, ".version 8.0", "k");
  CHECK(library.log() == "line 3: syntax");
  fake.results["cuLibraryGetKernel"] = abi::Result::NotFound;
  CHECK_THROWS_WITH(library.kernel("k"), Catch::Contains("'k' in k, which has: other, other"));
}

TEST_CASE("copies never leave a buffer") {
  FakeDriver fake;
  const auto driver = Driver::load(fake.options());
  const Device device = driver->device(0);
  Buffer buffer(device, 64);
  std::vector<std::byte> host(65);
  CHECK_THROWS_AS(buffer.copy_from_host(host), std::out_of_range);
  CHECK_THROWS_AS(buffer.copy_to_host(std::span(host).first(8), 57), std::out_of_range);
  CHECK_THROWS_AS(buffer.copy_to_host({}, 65), std::out_of_range);
  CHECK_NOTHROW(buffer.copy_to_host(std::span(host).first(8), 56));
  Buffer odd(device, 5);
  CHECK_THROWS_AS(odd.fill_words(0), std::invalid_argument);
  const Buffer moved = std::move(buffer);
  CHECK(moved.bytes() == 64);
  CHECK(buffer.pointer() == 0);
  CHECK(Buffer(device, 0).pointer() == 0);
  CHECK(fake.count("cuMemAlloc") == 2);
}

TEST_CASE("a capture is ended when what it records throws") {
  FakeDriver fake;
  const auto driver = Driver::load(fake.options());
  const Device device = driver->device(0);
  const Stream stream(device);
  CHECK_THROWS_WITH(Graph::capture(stream, [](const Stream&) { throw std::runtime_error("no"); }),
                    "no");
  CHECK(fake.count("cuStreamEndCapture") == 1);
  CHECK(fake.count("cuGraphDestroy") == 1);
  CHECK(Graph::capture(stream, [](const Stream&) {}).node_count() == 5);
}

TEST_CASE("timings: microseconds for one launch, order statistics") {
  FakeDriver fake;
  const auto driver = Driver::load(fake.options());
  const Stream stream(driver->device(0));
  int recorded = 0;
  const Timing timing =
      time_graph(stream, [&](const Stream&) { ++recorded; },
                 {.launches_per_graph = 10, .warmups = 2, .samples = 5, .flush_l2 = true});
  CHECK(recorded == 10);
  CHECK(timing.samples.size() == 5);
  CHECK(timing.median == Approx(200.0));  // the fake's events are 2 ms apart
  CHECK(fake.count("cuGraphLaunch") == 7);
  CHECK(fake.count("cuMemsetD8Async") == 7);

  const Timing odd = summarize({5, 1, 3});
  CHECK(odd.median == 3);
  CHECK(odd.min == 1);
  CHECK(odd.max == 5);
  CHECK(odd.samples == std::vector<double>{5, 1, 3});
  CHECK(summarize({1, 2, 3, 10}).median == Approx(2.5));
  CHECK_THROWS_AS(summarize({}), std::invalid_argument);
}
