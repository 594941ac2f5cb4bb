// SPDX-License-Identifier: Apache-2.0
// A kernel outside barline's tree: y = a * x + y. Built as libmine.so it is a kernel like any
// other:
//   barline --plugin build/libmine.so run saxpy --set n=100000
#include "dsl/dsl.h"
#include "dsl/plugin.h"

using namespace barline::dsl;

namespace {

KernelSource saxpy(Elem type) {
  Axis n{"n"};
  Arg a{"a"};
  In x{"x", type, {n}}, y{"y", type, {n}};
  Out out{"out", type, {n}};
  return kernel("saxpy", {a, x, y, out}, [=](Tiles& b) {
    b.store(out(part), fma(b.stripe(x(part)), a, b.stripe(y(part))));  // one rounding
  });
}

void saxpy_reference(ReferenceArgs args) {
  auto a = static_cast<float>(args.scalars.at("a"));
  const float* x = args.tensors.at("x").as<float>();
  const float* y = args.tensors.at("y").as<float>();
  for (std::int64_t i = 0; i < args.sizes.at("n"); ++i)
    args.tensors.at("out").as<float>()[i] = __builtin_fmaf(x[i], a, y[i]);
}

constexpr barline::ir::Schedule flat{.name = "flat", .threads = 256, .vec = 4, .chunks = 2};

}  // namespace

extern "C" void barline_plugin(Registry& registry) {
  registry.add(
      {.name = "saxpy",
       .doc = "out = a * x + y",
       .types = {f32},
       .schedules = {flat},
       .make = saxpy,
       .reference = saxpy_reference,
       .bytes = [](Elem e, const auto& n) { return 3.0 * barline::ir::bytes(e) * n.at("n"); }});
}
