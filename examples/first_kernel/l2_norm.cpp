// SPDX-License-Identifier: Apache-2.0
// y[r, :] = x[r, :] / |x[r, :]|: one block a row. A whole plugin, as README.md shows it.
#include "dsl/dsl.h"
#include "dsl/plugin.h"
using namespace barline::dsl;

static KernelSource l2_norm(Elem type) {
  Axis rows{"rows"}, d{"d"};
  In x{"x", type, {rows, d}};
  Out y{"y", type, {rows, d}};
  return kernel("l2_norm", {x, y}, [=](Tiles& b) {
    auto row = b.index(rows);
    auto v = b.stripe(x(row, all));  // this thread's share, widened to f32, masked at the tail
    b.store(y(row, all), v * rsqrt(block_reduce_sum(sum(v * v))));
  });
}

constexpr barline::ir::Schedule row256{.name = "row256", .threads = 256, .vec = 8};

extern "C" void barline_plugin(Registry& registry) {
  registry.add({.name = "l2_norm", .types = {f16, f32}, .schedules = {row256}, .make = l2_norm});
}
