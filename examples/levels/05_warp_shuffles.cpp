// SPDX-License-Identifier: Apache-2.0
// Level 5: warps. Lanes hand values to each other without memory. A C++ loop unrolls: the five
// steps below become five shuffles. Warp operations need a block of whole warps; another launch
// shape is an error at the line of the shuffle.
#include "level.h"

using namespace barline::dsl;

constexpr int threads = 128;

/// Running sums within each run of 32 elements.
KernelSource level_scan(Elem) {
  Axis n{"n"};
  In x{"x", s32, {n}};
  Out y{"y", s32, {n}};
  LaunchShape launch{.threads = {threads}, .grid = {Blocks(n, threads)}};
  return kernel("level_scan", {x, y}, launch, [=](Thread& t) {
    auto i = t.block().x * threads + t.rank(), lane = t.lane();
    auto sum = t.load_if(i < n, x(i));
    for (int step = 1; step < 32; step *= 2) {
      auto before = t.shuffle_up(sum, step);
      sum = select(lane >= step, sum + before, sum);
    }
    t.store_if(i < n, y(i), sum);
  });
}

void reference(ReferenceArgs args) {
  const auto* x = args.tensors.at("x").as<std::int32_t>();
  auto* y = args.tensors.at("y").as<std::int32_t>();
  for (std::int64_t i = 0; i < args.sizes.at("n"); ++i) y[i] = x[i] + (i % 32 ? y[i - 1] : 0);
}

extern "C" void barline_plugin(Registry& registry) {
  registry.add({.name = "level_scan",
                .doc = "running sums of 32 neighbours",
                .types = {s32},
                .schedules = {{.name = "threads128", .threads = threads}},
                .make = level_scan,
                .reference = reference,
                .bytes = [](Elem, const auto& n) { return 8.0 * n.at("n"); }});
}

int main() { return level::run({{"n", 1000}}); }
