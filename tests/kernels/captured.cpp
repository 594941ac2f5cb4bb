// SPDX-License-Identifier: Apache-2.0
// A serving host's day: launches are captured once and replayed, while other threads compile and
// load what the next request wants. Skipped without a GPU.
#include <atomic>
#include <catch2/catch.hpp>
#include <thread>

#include "on_device.h"

using namespace barline;
using namespace barline::test;

namespace {

/// Compiles and loads one kernel again and again, without a cache, until told to stop.
class Compiler {
 public:
  explicit Compiler(const driver::Device& device) : thread_([this, device] { work(device); }) {}
  ~Compiler() { stop(); }
  int stop() {
    stopped_ = true;
    if (thread_.joinable()) thread_.join();
    return compiled_;
  }
  /// Until one more kernel was compiled and loaded.
  void wait_for_one() const {
    for (const int before = compiled_; compiled_ == before;) std::this_thread::yield();
  }

 private:
  void work(const driver::Device& device) {
    const dsl::KernelEntry& other = entry("softmax");
    while (!stopped_) {
      runtime::Options options = runtime::options_from_environment();
      options.cache.dir.clear();
      jit::Runtime runtime(std::move(options));
      runtime.prepare(device, other, ir::Elem::F32, {.schedule = other.schedules.front()});
      ++compiled_;
    }
  }

  std::atomic<bool> stopped_ = false;
  std::atomic<int> compiled_ = 0;
  std::thread thread_;
};

}  // namespace

TEST_CASE("a captured launch gives its bits in a thousand replays while another thread compiles",
          "[kernels][gpu]") {
  auto device = gpu();
  if (!device) return;
  jit::Runtime runtime(runtime::options_from_environment());
  const dsl::KernelEntry& norm = entry("rms_norm");
  Problem p("rms_norm", ir::Elem::BF16, norm.schedules.front(), {{"rows", 33}, {"d", 5120}});
  DeviceRun kernel(p, ir::Elem::BF16, runtime, *device);
  Compiler compiler(*device);
  driver::Stream stream(*device);
  const driver::Graph graph = kernel.capture(stream, [&] { compiler.wait_for_one(); });
  p.refer();
  int wrong = 0;
  for (int replay = 0; replay < 1000; ++replay) {
    kernel.reset();
    graph.launch(stream);
    stream.synchronize();
    wrong += kernel.written().at("y").data != p.tensors.at("y").data;
  }
  CHECK(wrong == 0);
  CHECK(compiler.stop() >= 2);
}
