// SPDX-License-Identifier: Apache-2.0
// The C interface over a driver that is a file: statuses, last errors, structs of other lengths,
// several threads.
#include "runtime/abi/barline.h"

#include <dlfcn.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <nlohmann/json.hpp>
#include <thread>

#include "tests/host/c_host.h"
#include "tests/host/samples.h"

using namespace barline::runtime::test;
using nlohmann::json;

namespace {

constexpr const char* rms_norm = "rms_norm.bf16@row256";
void* const stream = reinterpret_cast<void*>(80);

const std::string& libcuda() {
  static const std::string path = BARLINE_BINARY_DIR "/lib/libbarline_fake_cuda.so";
  return path;
}

/// The fake driver that the runtime loaded, and its switches.
struct Fake {
  void* library = ::dlopen(libcuda().c_str(), RTLD_NOW | RTLD_LOCAL);
  template <typename F>
  F* function(const char* name) const {
    return reinterpret_cast<F*>(::dlsym(library, name));
  }
  void inject(const char* call, int result) const {
    function<void(const char*, int)>("fake_cuda_inject")(call, result);
  }
  int calls(const char* call) const { return function<int(const char*)>("fake_cuda_calls")(call); }
  std::uint64_t argument(int i) const {
    return function<std::uint64_t(int)>("fake_cuda_argument")(i);
  }
};

json last_error() { return json::parse(barline_last_error_json()); }

/// A runtime with a pack of one kernel.
struct Opened {
  Fake fake;
  TempDir dir;
  barline_runtime* runtime = nullptr;

  explicit Opened(const std::string& driver = libcuda()) {
    barline_options options{};
    options.struct_size = sizeof options;
    options.cache_dir = "";
    options.libcuda = driver.c_str();
    REQUIRE(barline_runtime_open(&options, &runtime) == BARLINE_OK);
    REQUIRE(barline_runtime_add_pack(runtime, pack().c_str()) == BARLINE_OK);
  }
  ~Opened() { barline_runtime_close(runtime); }

  std::string pack() const {
    return write_pack(dir.path() / "k.blp", {sample_item(rms_norm, "sm_90a")}).string();
  }
  barline_status prepare(barline_kernel** kernel, const char* name = rms_norm) const {
    barline_request request{};
    request.struct_size = sizeof request;
    request.name = name;
    request.stream = stream;
    return barline_prepare(runtime, &request, kernel);
  }
  barline_kernel* kernel() const {
    barline_kernel* kernel = nullptr;
    REQUIRE(prepare(&kernel) == BARLINE_OK);
    return kernel;
  }
};

barline_status launch_pointers(const barline_kernel* kernel, std::uint64_t x = 0x4000) {
  const barline_arg args[] = {barline_arg_pointer(x), barline_arg_pointer(0x5000),
                              barline_arg_pointer(0x6000), barline_arg_f32(0.5f)};
  const std::int64_t sizes[] = {3, 16};
  barline_launch_info info{};
  info.struct_size = sizeof info;
  info.stream = stream;
  info.args = args;
  info.sizes = sizes;
  info.arg_count = 4;
  info.size_count = 2;
  return barline_launch(kernel, &info);
}

}  // namespace

TEST_CASE("a host in C prepares and launches") {
  Opened o;
  const int before = o.fake.calls("cuLaunchKernelEx");
  const char* wrong = c_host_run(libcuda().c_str(), o.pack().c_str(), stream);
  INFO((wrong != nullptr ? wrong : ""));
  CHECK(wrong == nullptr);
  CHECK(o.fake.calls("cuLaunchKernelEx") == before + 2);
}

TEST_CASE("a launch gives the driver the addresses, scalars and sizes of its arguments") {
  Opened o;
  barline_kernel* kernel = o.kernel();
  const int bytes[] = {8, 8, 8, 4, 4, 4};
  o.fake.function<void(int, const int*)>("fake_cuda_watch")(6, bytes);
  const int calls = o.fake.calls(nullptr);
  REQUIRE(launch_pointers(kernel) == BARLINE_OK);
  CHECK(o.fake.calls(nullptr) == calls + 1);  // the launch, and nothing else
  CHECK(o.fake.argument(0) == 0x4000);
  CHECK(o.fake.argument(2) == 0x6000);
  const float half = 0.5f;
  std::uint32_t bits = 0;
  std::memcpy(&bits, &half, sizeof bits);
  CHECK(o.fake.argument(3) == bits);
  CHECK(o.fake.argument(4) == 3);
  CHECK(o.fake.argument(5) == 16);
  CHECK(o.fake.function<unsigned()>("fake_cuda_grid_x")() == 3);
  CHECK(o.fake.function<void*()>("fake_cuda_stream")() == stream);
  barline_kernel_release(kernel);
}

TEST_CASE("a launch takes the kernel's scratch as one workspace") {
  Opened o;
  constexpr const char* name = "sums.f32@s";
  const auto pack = write_pack(
      o.dir.path() / "w.blp",
      {sample_item(name, "sm_90a", "",
                   "x:in:f32[n];partial:scratch:f32[n,parts=4];y:out:f32[n]|n:1|n/128,1,1")});
  REQUIRE(barline_runtime_add_pack(o.runtime, pack.c_str()) == BARLINE_OK);
  barline_kernel* kernel = nullptr;
  REQUIRE(o.prepare(&kernel, name) == BARLINE_OK);
  std::uint64_t bytes = 0, align = 0;
  const std::int64_t sizes[] = {100};
  REQUIRE(barline_kernel_workspace(kernel, sizes, 1, &bytes, &align) == BARLINE_OK);
  CHECK((bytes == 1792 && align == 256));
  CHECK(barline_kernel_workspace(kernel, nullptr, 1, &bytes, &align) == BARLINE_INVALID_ARGUMENT);
  CHECK(barline_kernel_workspace(kernel, sizes, 0, &bytes, &align) == BARLINE_INVALID_ARGUMENT);
  barline_param param{};
  param.struct_size = sizeof param;
  REQUIRE(barline_kernel_param(kernel, 1, &param) == BARLINE_OK);
  CHECK((param.is_scratch == 1 && param.is_read == 1 && param.is_written == 1));

  const int watched[] = {8, 8, 8, 4};
  o.fake.function<void(int, const int*)>("fake_cuda_watch")(4, watched);
  std::int64_t shape[] = {100};
  const barline_tensor x{reinterpret_cast<void*>(0x4000), {2, 0}, 1, {2, 32, 1}, shape, nullptr, 0};
  const barline_arg args[] = {barline_arg_tensor(&x), barline_arg_pointer(0x5000)};
  barline_launch_info info{};
  info.struct_size = sizeof info;
  info.stream = stream;
  info.args = args;
  info.arg_count = 2;
  info.workspace = 0x10000;
  info.workspace_bytes = 1792;
  REQUIRE(barline_launch(kernel, &info) == BARLINE_OK);  // the size is read off x
  CHECK(o.fake.argument(0) == 0x4000);
  CHECK(o.fake.argument(1) == 0x10000);
  CHECK(o.fake.argument(2) == 0x5000);
  CHECK(o.fake.argument(3) == 100);
  info.workspace_bytes = 1791;
  CHECK(barline_launch(kernel, &info) == BARLINE_INVALID_ARGUMENT);
  CHECK_THAT(last_error()["message"].get<std::string>(), Catch::Contains("pass 1792 zeroed bytes"));
  info.workspace = 0;
  CHECK(barline_launch(kernel, &info) == BARLINE_INVALID_ARGUMENT);
  CHECK_THAT(last_error()["message"].get<std::string>(), Catch::Contains("for 3 parameters"));
  barline_kernel_release(kernel);
}

TEST_CASE("every failure has a status, and a message that names what to do") {
  Opened o;
  barline_kernel* kernel = nullptr;
  CHECK(o.prepare(&kernel, "softmax.f32@row256") == BARLINE_NOT_FOUND);
  CHECK(kernel == nullptr);
  CHECK(last_error()["schema"] == "barline.error/1");
  CHECK(last_error()["status"] == "BARLINE_NOT_FOUND");
  CHECK(last_error()["code"] == 2);
  CHECK_THAT(last_error()["message"].get<std::string>(),
             Catch::Contains("no kernel 'softmax.f32@row256'"));

  CHECK(barline_runtime_add_pack(o.runtime, "/nonexistent.blp") == BARLINE_BAD_PACK);
  CHECK(barline_runtime_add_pack(o.runtime, nullptr) == BARLINE_INVALID_ARGUMENT);
  CHECK(last_error()["message"] == "path is null; pass one");
  CHECK(barline_prepare(nullptr, nullptr, &kernel) == BARLINE_INVALID_ARGUMENT);
  CHECK(barline_kernel_query(nullptr, nullptr) == BARLINE_INVALID_ARGUMENT);
  CHECK(barline_launch(nullptr, nullptr) == BARLINE_INVALID_ARGUMENT);
  barline_runtime_close(nullptr);
  barline_kernel_release(nullptr);

  kernel = o.kernel();
  CHECK(launch_pointers(kernel, 0x4008) == BARLINE_INVALID_ARGUMENT);
  CHECK_THAT(last_error()["message"].get<std::string>(), Catch::Contains("align it to 16 bytes"));
  barline_launch_info info{};
  info.struct_size = sizeof info;
  CHECK(barline_launch(kernel, &info) == BARLINE_INVALID_ARGUMENT);
  CHECK_THAT(last_error()["message"].get<std::string>(),
             Catch::Contains("0 arguments and 0 sizes for 4 parameters and 2 dynamic axes"));
  info.flags = 0xff00 | BARLINE_LAUNCH_PROGRAMMATIC;
  CHECK(barline_launch(kernel, &info) == BARLINE_INVALID_ARGUMENT);
  CHECK_THAT(last_error()["message"].get<std::string>(), Catch::Contains("does not know: 65280"));
  barline_kernel_release(kernel);
}

TEST_CASE("no driver and no capture are statuses of their own") {
  Opened none("/nonexistent/libcuda.so.1");
  barline_kernel* kernel = nullptr;
  CHECK(none.prepare(&kernel) == BARLINE_NO_DEVICE);
  Opened o;
  o.fake.function<void(int)>("fake_cuda_capturing")(1);
  CHECK(o.prepare(&kernel) == BARLINE_IN_CAPTURE);
  o.fake.function<void(int)>("fake_cuda_capturing")(0);
  CHECK(o.prepare(&kernel) == BARLINE_OK);
  barline_kernel_release(kernel);
}

TEST_CASE("each driver call that fails reaches a C host with its name and code") {
  Opened o;
  for (const char* call :
       {"cuLibraryLoadData", "cuLibraryGetKernel", "cuKernelGetFunction",
        "cuThreadExchangeStreamCaptureMode", "cuStreamIsCapturing", "cuKernelGetAttribute"}) {
    CAPTURE(call);
    barline_kernel* kernel = nullptr;
    o.fake.inject(call, 700);
    CHECK(o.prepare(&kernel) == BARLINE_DRIVER_ERROR);
    CHECK(last_error()["driver_code"] == 700);
    CHECK(last_error()["call"].get<std::string>().starts_with(call));
    o.fake.inject(call, 0);
  }
  barline_kernel* kernel = o.kernel();
  o.fake.inject("cuLaunchKernelEx", 719);
  CHECK(launch_pointers(kernel) == BARLINE_DRIVER_ERROR);
  CHECK(last_error()["driver_code"] == 719);
  o.fake.inject("cuLaunchKernelEx", 0);
  CHECK(launch_pointers(kernel) == BARLINE_OK);
  barline_kernel_release(kernel);
}

TEST_CASE("structs of an older or a newer program are taken as far as they go") {
  Opened o;
  barline_kernel* kernel = o.kernel();
  barline_kernel_info info{};
  std::memset(&info, 0x55, sizeof info);
  info.struct_size = offsetof(barline_kernel_info, schedule);
  REQUIRE(barline_kernel_query(kernel, &info) == BARLINE_OK);
  CHECK(std::string(info.name) == "rms_norm");
  CHECK(info.struct_size == offsetof(barline_kernel_info, schedule));
  CHECK(info.param_count == 0x55555555u);  // not ours to write
  struct {
    barline_kernel_info known;
    std::uint64_t later;
  } newer{};
  newer.known.struct_size = sizeof newer;
  newer.later = 7;
  REQUIRE(barline_kernel_query(kernel, &newer.known) == BARLINE_OK);
  CHECK(newer.known.param_count == 4);
  CHECK(newer.later == 7);
  info.struct_size = 0;
  CHECK(barline_kernel_query(kernel, &info) == BARLINE_INVALID_ARGUMENT);
  CHECK(last_error()["message"] == "info.struct_size is not set; set it to sizeof");
  barline_kernel_release(kernel);
}

TEST_CASE("options are checked") {
  barline_runtime* runtime = nullptr;
  barline_options options{};
  options.struct_size = sizeof options;
  options.jit = 3;
  CHECK(barline_runtime_open(&options, &runtime) == BARLINE_INVALID_ARGUMENT);
  options.jit = 0;
  options.cache_dir = "here";
  CHECK(barline_runtime_open(&options, &runtime) == BARLINE_INVALID_ARGUMENT);
  CHECK(runtime == nullptr);
  CHECK(barline_runtime_open(nullptr, nullptr) == BARLINE_INVALID_ARGUMENT);
}

TEST_CASE("names come one by one, statuses have names") {
  Opened o;
  std::vector<std::string> names;
  const auto visit = [](void* user, const char* name) {
    static_cast<std::vector<std::string>*>(user)->push_back(name);
  };
  REQUIRE(barline_runtime_names(o.runtime, visit, &names) == BARLINE_OK);
  CHECK(names == std::vector<std::string>{rms_norm});
  CHECK(std::string(barline_status_name(BARLINE_OVER_BUDGET)) == "BARLINE_OVER_BUDGET");
  CHECK(std::string(barline_status_name(static_cast<barline_status>(99))) == "?");
  CHECK(std::string(barline_version()) != "");
}

TEST_CASE("what the C interface adds to a launch", "[bench]") {
  Opened o;
  barline_kernel* kernel = o.kernel();
  o.fake.function<void(int)>("fake_cuda_quick")(1);
  constexpr int launches = 1000000;
  const auto nanoseconds = [&](auto&& launch) {
    double best = 1e9;
    for (int round = 0; round < 5; ++round) {
      const auto start = std::chrono::steady_clock::now();
      for (int i = 0; i < launches; ++i) launch();
      const std::chrono::duration<double, std::nano> took =
          std::chrono::steady_clock::now() - start;
      best = std::min(best, took.count() / launches);
    }
    return best;
  };
  std::int64_t matrix[] = {3, 16}, row[] = {16};
  const barline_device gpu{2, 0};
  const barline_dtype bf16{4, 16, 1};
  const barline_tensor x{reinterpret_cast<void*>(0x4000), gpu, 2, bf16, matrix, nullptr, 0};
  const barline_tensor w{reinterpret_cast<void*>(0x5000), gpu, 1, bf16, row, nullptr, 0};
  const barline_arg args[] = {barline_arg_tensor(&x), barline_arg_tensor(&w),
                              barline_arg_tensor(&x), barline_arg_f32(0.5f)};
  barline_launch_info info{};
  info.struct_size = sizeof info;
  info.stream = stream;
  info.args = args;
  info.arg_count = 4;
  const double by_pointer = nanoseconds([&] { launch_pointers(kernel); });
  const double by_tensor = nanoseconds([&] { barline_launch(kernel, &info); });
  o.fake.function<void(int)>("fake_cuda_quick")(0);
  std::printf("host time of a launch without the driver: %.0f ns by pointers, %.0f ns by tensors\n",
              by_pointer, by_tensor);
  CHECK(by_pointer < 300);
  CHECK(by_tensor < 300);
  barline_kernel_release(kernel);
}

TEST_CASE("a thread's last error is its own") {
  Opened o;
  CHECK(barline_runtime_add_pack(o.runtime, "/nonexistent.blp") == BARLINE_BAD_PACK);
  std::string first_of_other;
  std::thread([&] {
    first_of_other = barline_last_error_json();
    barline_kernel* kernel = nullptr;
    CHECK(o.prepare(&kernel, "no_such") == BARLINE_NOT_FOUND);
  }).join();
  CHECK(first_of_other == "{}");
  CHECK(last_error()["status"] == "BARLINE_BAD_PACK");
}

TEST_CASE("threads prepare and launch at once, each with errors of its own") {
  Opened o;
  std::vector<std::thread> threads;
  std::atomic<int> wrong{0};
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 20; ++i) {
        const std::string name = "no_" + std::to_string(t);
        barline_kernel* kernel = nullptr;
        if (o.prepare(&kernel, name.c_str()) != BARLINE_NOT_FOUND) ++wrong;
        if (std::string(barline_last_error_json()).find("'" + name + "'") == std::string::npos)
          ++wrong;
        if (o.prepare(&kernel) != BARLINE_OK) ++wrong;
        if (launch_pointers(kernel) != BARLINE_OK) ++wrong;
        barline_kernel_release(kernel);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(wrong == 0);
}
