// SPDX-License-Identifier: Apache-2.0
// Level 3: the thread layer. The body speaks of one thread; blocks and threads are named in the
// launch shape. Two block reductions in a row cost two barriers, which the compiler places: the
// second must not overwrite what a slow warp still reads of the first.
#include "level.h"

using namespace barline::dsl;

constexpr int threads = 96;

KernelSource level_spread(Elem) {
  Axis n{"n"};
  In x{"x", s32, {n}};
  Out lowest{"lowest", s32, {n}}, highest{"highest", s32, {n}};
  LaunchShape launch{.threads = {threads}, .grid = {Blocks(n, threads)}};
  return kernel("level_spread", {x, lowest, highest}, launch, [=](Thread& t) {
    auto i = t.block().x * threads + t.rank();
    auto inside = i < n;
    auto mine = t.load_if(inside, x(i));  // 0 past the end, where it must not count
    auto low = block_reduce_min(select(inside, mine, 1 << 30));
    auto high = block_reduce_max(select(inside, mine, -(1 << 30)));
    t.store_if(inside, lowest(i), low);
    t.store_if(inside, highest(i), high);
  });
}

void reference(ReferenceArgs args) {
  std::int64_t n = args.sizes.at("n");
  const auto* x = args.tensors.at("x").as<std::int32_t>();
  for (std::int64_t i = 0; i < n; ++i) {
    std::int64_t first = i / threads * threads, last = std::min(first + threads, n);
    auto [low, high] = std::minmax_element(x + first, x + last);
    args.tensors.at("lowest").as<std::int32_t>()[i] = *low;
    args.tensors.at("highest").as<std::int32_t>()[i] = *high;
  }
}

extern "C" void barline_plugin(Registry& registry) {
  registry.add({.name = "level_spread",
                .doc = "the least and the largest of each run of 96",
                .types = {s32},
                .schedules = {{.name = "threads96", .threads = threads}},
                .make = level_spread,
                .reference = reference,
                .bytes = [](Elem, const auto& n) { return 12.0 * n.at("n"); }});
}

int main() { return level::run({{"n", 1000}}); }
