// SPDX-License-Identifier: Apache-2.0
// Level 7: blocks that wait for each other. A flag is a counter in global memory: flag_signal adds
// one with release, flag_wait spins with acquire, so whoever waited sees what was written before
// the signal. All blocks must be resident at once: the launch is cooperative.
#include "level.h"

using namespace barline::dsl;

constexpr int threads = 32, blocks = 4;

/// Block b adds its 32 inputs to what block b - 1 left: a running sum over the blocks.
KernelSource level_chain(Elem) {
  Axis n{"n", threads * blocks}, stages{"stages", blocks};
  In x{"x", s32, {n}};
  InOut left{"left", s32, {stages}}, ready{"ready", u32, {stages}};  // zero at the start
  LaunchShape launch{.threads = {threads}, .grid = {Blocks(blocks)}, .cooperative = true};
  return kernel("level_chain", {x, left, ready}, launch, [=](Thread& t) {
    auto block = t.block().x;
    auto sum = warp_reduce_sum(t.load(x(block * threads + t.rank())));
    t.when(t.rank() == 0, [&] {
      Var total = t.var(sum);
      t.when(block > 0, [&] {
        t.flag_wait(ready(block - 1), 1);
        total += t.load(left(block - 1));
      });
      t.store(left(block), total);
      t.flag_signal(ready(block));
    });
  });
}

void reference(ReferenceArgs args) {
  const auto* x = args.tensors.at("x").as<std::int32_t>();
  std::int32_t total = 0;
  for (int b = 0; b < blocks; ++b) {
    for (int i = 0; i < threads; ++i) total += x[b * threads + i];
    args.tensors.at("left").as<std::int32_t>()[b] = total;
    args.tensors.at("ready").as<std::uint32_t>()[b] = 1;
  }
}

extern "C" void barline_plugin(Registry& registry) {
  registry.add({.name = "level_chain",
                .doc = "a running sum over blocks, handed on by flags",
                .types = {s32},
                .schedules = {{.name = "threads32", .threads = threads}},
                .make = level_chain,
                .reference = reference,
                .bytes = [](Elem, const auto& n) { return 4.0 * n.at("n"); }});
}

int main() { return level::run({{"n", threads * blocks}, {"stages", blocks}}); }
