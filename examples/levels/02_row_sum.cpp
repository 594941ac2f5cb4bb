// SPDX-License-Identifier: Apache-2.0
// Level 2: a reduction. One block takes one row: each thread sums its share, block_reduce_sum sums
// the threads and gives every one of them the result. The order of a float sum is part of the
// language (ir/order.h); here the numbers are whole, so any order gives the same bits.
#include "level.h"

using namespace barline::dsl;

KernelSource level_row_sum(Elem type) {
  Axis rows{"rows"}, d{"d"};
  In x{"x", type, {rows, d}};
  Out y{"y", f32, {rows}};
  return kernel("level_row_sum", {x, y}, [=](Tiles& t) {
    auto row = t.index(rows);        // one block a row
    auto v = t.stripe(x(row, all));  // this thread's share of the row
    t.store(y(row), block_reduce_sum(sum(v)));
  });
}

void reference(ReferenceArgs args) {
  std::int64_t d = args.sizes.at("d");
  const float* x = args.tensors.at("x").as<float>();
  for (std::int64_t r = 0; r < args.sizes.at("rows"); ++r) {
    float total = 0;
    for (std::int64_t i = 0; i < d; ++i) total += x[r * d + i];
    args.tensors.at("y").as<float>()[r] = total;
  }
}

constexpr barline::ir::Schedule row{.name = "row", .threads = 128, .vec = 4};

extern "C" void barline_plugin(Registry& registry) {
  registry.add({.name = "level_row_sum",
                .doc = "y[r] = sum(x[r, :])",
                .types = {f32},
                .schedules = {row},
                .make = level_row_sum,
                .reference = reference,
                .bytes = [](Elem e, const auto& n) {
                  return 1.0 * barline::ir::bytes(e) * n.at("rows") * (n.at("d") + 1);
                }});
}

int main() { return level::run({{"rows", 5}, {"d", 777}}); }
