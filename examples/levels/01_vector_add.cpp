// SPDX-License-Identifier: Apache-2.0
// Level 1: a tile kernel. It says what is computed; the schedule says how: 256 threads a block, 4
// neighbouring elements a thread, the axis split over blocks. The last, ragged block is masked by
// the compiler.
#include "level.h"

using namespace barline::dsl;

KernelSource level_vector_add(Elem type) {
  Axis n{"n"};
  In a{"a", type, {n}}, b{"b", type, {n}};
  Out y{"y", type, {n}};
  return kernel("level_vector_add", {a, b, y}, [=](Tiles& t) {
    t.store(y(part), t.stripe(a(part)) + t.stripe(b(part)));  // part: this block's part of n
  });
}

void reference(ReferenceArgs args) {
  const float* a = args.tensors.at("a").as<float>();
  const float* b = args.tensors.at("b").as<float>();
  float* y = args.tensors.at("y").as<float>();
  for (std::int64_t i = 0; i < args.sizes.at("n"); ++i) y[i] = a[i] + b[i];
}

constexpr barline::ir::Schedule flat{.name = "flat", .threads = 256, .vec = 4};

extern "C" void barline_plugin(Registry& registry) {
  registry.add(
      {.name = "level_vector_add",
       .doc = "y = a + b",
       .types = {f32},
       .schedules = {flat},
       .make = level_vector_add,
       .reference = reference,
       .bytes = [](Elem e, const auto& n) { return 3.0 * barline::ir::bytes(e) * n.at("n"); }});
}

int main() { return level::run({{"n", 5003}}); }
