// SPDX-License-Identifier: Apache-2.0
// Level 9: a kernel of one's own on a GPU. prepare() compiles it, or takes it from the disk cache,
// and loads it; launch() is one driver call. Without a GPU the simulator has the word alone.
#include "level.h"
#include "runtime/driver/buffer.h"
#include "runtime/jit/runtime.h"

using namespace barline::dsl;

KernelSource level_square(Elem type) {
  Axis n{"n"};
  In x{"x", type, {n}};
  Out y{"y", type, {n}};
  return kernel("level_square", {x, y}, [=](Tiles& t) {
    auto v = t.stripe(x(part));
    t.store(y(part), v * v);
  });
}

void reference(ReferenceArgs args) {
  for (std::int64_t i = 0; i < args.sizes.at("n"); ++i) {
    float v = args.tensors.at("x").as<float>()[i];
    args.tensors.at("y").as<float>()[i] = v * v;
  }
}

constexpr barline::ir::Schedule flat{.name = "flat", .threads = 256, .vec = 4};

extern "C" void barline_plugin(Registry& registry) {
  registry.add(
      {.name = "level_square",
       .doc = "y = x * x",
       .types = {f32},
       .schedules = {flat},
       .make = level_square,
       .reference = reference,
       .bytes = [](Elem e, const auto& n) { return 2.0 * barline::ir::bytes(e) * n.at("n"); }});
}

int on_gpu() {
  using barline::jit::Argument;
  constexpr std::int64_t n = 1000;
  auto device = barline::driver::Driver::load()->device(0);
  Registry registry;
  barline_plugin(registry);
  barline::jit::Runtime runtime(barline::runtime::options_from_environment());
  Config config{.schedule = flat, .label = "level_square.f32@flat"};
  auto square = runtime.prepare(device, registry.entries().front(), f32, config);

  std::vector<float> x(n);
  for (std::int64_t i = 0; i < n; ++i) x[i] = static_cast<float>(i);
  barline::driver::Buffer in(device, n * sizeof(float)), out(device, n * sizeof(float));
  in.upload<float>(x);
  barline::driver::Stream stream(device);
  const Argument arguments[] = {Argument::pointer(in.pointer()), Argument::pointer(out.pointer())};
  square.launch(stream.handle(), arguments, std::array{n});
  stream.synchronize();
  std::vector<float> y = out.download<float>(n);
  bool good = y[31] == 961 && y[999] == 998001;
  fmt::print("level_square on {}: {}\n", device.info().name, good ? "PASS" : "FAIL");
  return good ? 0 : 1;
}

int main() {
  if (level::run({{"n", 1000}}) != 0) return 1;
  try {
    return on_gpu();
  } catch (const barline::driver::Error& e) {
    fmt::print("{}: {}\n", e.means_no_device() ? "SKIP" : "FAIL", e.what());
    return e.means_no_device() ? 0 : 1;
  } catch (const std::exception& e) {
    fmt::print("FAIL: {}\n", e.what());
    return 1;
  }
}
