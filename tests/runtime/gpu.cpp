// SPDX-License-Identifier: Apache-2.0
// The driver wrappers on a real GPU.
#include <catch2/catch.hpp>
#include <chrono>
#include <cstdio>
#include <numeric>
#include <optional>
#include <thread>

#include "runtime/driver/buffer.h"
#include "runtime/driver/graph.h"
#include "runtime/driver/launch.h"
#include "runtime/driver/link.h"
#include "runtime/driver/timing.h"

using namespace barline::driver;

namespace {

// y[i] += a for i < n; uses dynamic shared memory by its address only.
constexpr const char* add_ptx = R"(
.version 7.0
.target sm_80
.address_size 64
.extern .shared .align 16 .b8 scratch[];
.visible .entry add(.param .u64 y, .param .u32 a, .param .u32 n) {
  .reg .pred %p;
  .reg .b32 %r<6>;
  .reg .b64 %d<4>;
  ld.param.u64 %d0, [y];
  ld.param.u32 %r0, [a];
  ld.param.u32 %r1, [n];
  mov.u32 %r2, %ctaid.x;
  mov.u32 %r3, %ntid.x;
  mov.u32 %r4, %tid.x;
  mad.lo.u32 %r2, %r2, %r3, %r4;
  setp.ge.u32 %p, %r2, %r1;
  @%p bra done;
  cvta.to.global.u64 %d0, %d0;
  mul.wide.u32 %d1, %r2, 4;
  add.u64 %d0, %d0, %d1;
  ld.global.u32 %r5, [%d0];
  add.u32 %r5, %r5, %r0;
  st.global.u32 [%d0], %r5;
done:
  ret;
}
)";

std::optional<Device> first_device() {
  try {
    return Driver::load()->device(0);
  } catch (const Error& error) {
    if (!error.means_no_device()) throw;
    std::printf("SKIP: no GPU (%s)\n", error.what());
    return std::nullopt;
  }
}

struct Add {
  Device device;
  Library library;
  Kernel kernel;
  Stream stream;
  std::uint32_t n = 1000;
  Buffer buffer;

  explicit Add(const Device& on)
      : device(on),
        library(Library::from_ptx(device, add_ptx, "add")),
        kernel(library.kernel("add")),
        stream(device),
        buffer(device, n * 4) {
    std::vector<std::uint32_t> start(n);
    std::iota(start.begin(), start.end(), 0u);
    buffer.upload(std::span<const std::uint32_t>(start));
    kernel.make_resident();
  }
  void run(abi::StreamHandle on, std::uint32_t a,
           LaunchShape shape = {.grid = {8}, .block = {128}}) {
    abi::DevicePointer y = buffer.pointer();
    void* arguments[] = {&y, &a, &n};
    launch(kernel, shape, on, arguments);
  }
  bool holds(std::uint32_t offset) {
    stream.synchronize();
    device.synchronize();
    const auto got = buffer.download<std::uint32_t>(n);
    for (std::uint32_t i = 0; i < n; ++i) {
      if (got[i] != i + offset) return false;
    }
    return true;
  }
};

}  // namespace

TEST_CASE("a kernel runs and its result comes back", "[gpu]") {
  const auto device = first_device();
  if (!device) return;
  CHECK(device->info().sm() >= 80);
  CHECK(device->info().sm_count > 0);
  CHECK(device->info().shared_per_block_optin >= device->info().shared_per_block);
  Add add(*device);
  CHECK(add.library.kernel_names() == std::vector<std::string>{"add"});
  CHECK(add.kernel.attributes().registers > 0);
  add.run(add.stream.handle(), 5);
  CHECK(add.holds(5));
  add.run(nullptr, 2);
  CHECK(add.holds(7));

  struct {
    std::uint64_t y;
    std::uint32_t a, n;
  } packed{add.buffer.pointer(), 3, add.n};
  launch_packed(add.kernel, {.grid = {8}, .block = {128}}, add.stream.handle(),
                std::as_bytes(std::span(&packed, 1)));
  CHECK(add.holds(10));
}

TEST_CASE("what the driver assembled is machine code that loads and runs", "[gpu]") {
  const auto device = first_device();
  if (!device) return;
  const int sm = device->info().sm();
  const Linked linked = link_ptx(*device, add_ptx, {.capability = sm});
  REQUIRE(linked.cubin.size() > 64);
  CHECK(build_of(device->driver()).starts_with("driver 1"));
  std::printf("%s; its log: %s\n", build_of(device->driver()).c_str(), linked.log.c_str());
  const Library library = Library::from_image(*device, linked.cubin, "add");
  Add add(*device);
  add.kernel = library.kernel("add");
  add.run(add.stream.handle(), 5);
  CHECK(add.holds(5));
  CHECK_THROWS_WITH(link_ptx(*device, "no PTX", {.capability = sm}),
                    Catch::Contains("cuLink") && Catch::Contains("log: "));
}

TEST_CASE("launch attributes are taken by the driver", "[gpu]") {
  const auto device = first_device();
  if (!device) return;
  Add add(*device);
  add.kernel.set_max_dynamic_shared(64 << 10);
  add.run(add.stream.handle(), 1, {.grid = {8}, .block = {128}, .dynamic_shared_bytes = 64 << 10});
  const LaunchShape cooperative{.grid = {8}, .block = {128}, .cooperative = true};
  check_shape(add.kernel, cooperative);
  add.run(add.stream.handle(), 1, cooperative);
  CHECK(add.holds(2));
  CHECK_THROWS_AS(
      check_shape(add.kernel, {.grid = {1u << 20}, .block = {128}, .cooperative = true}),
      std::invalid_argument);
  if (!device->info().clusters) return;
  add.run(add.stream.handle(), 1,
          {.grid = {8}, .block = {128}, .cluster = {2}, .programmatic = true});
  CHECK(add.holds(3));
}

TEST_CASE("a captured graph replays", "[gpu]") {
  const auto device = first_device();
  if (!device) return;
  Add add(*device);
  const Graph graph = Graph::capture(add.stream, [&](const Stream& on) {
    CHECK(is_capturing(*device, on.handle()));
    for (int i = 0; i < 3; ++i) add.run(on.handle(), 1);
  });
  CHECK(graph.node_count() == 3);
  CHECK_FALSE(is_capturing(*device, add.stream.handle()));
  CHECK(add.holds(0));  // capture runs nothing
  for (int i = 0; i < 1000; ++i) graph.launch(add.stream);
  CHECK(add.holds(3000));
}

TEST_CASE("another thread without a current context launches and loads", "[gpu]") {
  const auto device = first_device();
  if (!device) return;
  Add add(*device);
  std::thread([&] { add.run(add.stream.handle(), 4); }).join();
  CHECK(add.holds(4));
  std::thread([&] { Add(*device).run(nullptr, 1); }).join();
}

TEST_CASE("device errors name the call; bad PTX carries the log", "[gpu]") {
  const auto device = first_device();
  if (!device) return;
  CHECK_THROWS_AS(Buffer(*device, std::size_t{1} << 50), Error);
  CHECK_THROWS_WITH(Library::from_ptx(*device, ".version 7.0\n.target sm_80\nnonsense", "broken"),
                    Catch::Contains("broken, PTX") && Catch::Contains("log: "));
  Add add(*device);
  CHECK_THROWS_WITH(add.library.kernel("sub"), Catch::Contains("'sub' in add, which has: add"));
}

TEST_CASE("a launch costs little over the driver's own", "[gpu]") {
  const auto device = first_device();
  if (!device) return;
  Add add(*device);
  abi::DevicePointer y = add.buffer.pointer();
  std::uint32_t a = 0;
  void* arguments[] = {&y, &a, &add.n};
  const auto nanoseconds = [&](auto&& once) {
    double best = 1e30;
    for (int round = 0; round < 20; ++round) {
      constexpr int launches = 200;  // fewer than the driver queues before it waits
      const auto start = std::chrono::steady_clock::now();
      for (int i = 0; i < launches; ++i) once();
      const std::chrono::duration<double, std::nano> spent =
          std::chrono::steady_clock::now() - start;
      best = std::min(best, spent.count() / launches);
      add.stream.synchronize();
    }
    return best;
  };
  const abi::Api& api = device->api();
  const double bare = nanoseconds([&] {
    api.cuLaunchKernel(reinterpret_cast<abi::FunctionHandle>(add.kernel.handle()), 8, 1, 1, 128, 1,
                       1, 0, add.stream.handle(), arguments, nullptr);
  });
  const double ours = nanoseconds(
      [&] { launch(add.kernel, {.grid = {8}, .block = {128}}, add.stream.handle(), arguments); });
  std::printf("launch: %.0f ns, cuLaunchKernel %.0f ns, difference %.0f ns\n", ours, bare,
              ours - bare);
  CHECK(ours - bare < 300);
  const Timing timing = time_graph(add.stream, [&](const Stream& on) { add.run(on.handle(), 0); });
  std::printf("graph of small kernels: %.2f us a launch, spread %.1f %%\n", timing.median,
              100 * timing.spread());
  CHECK(timing.median > 0);
}
