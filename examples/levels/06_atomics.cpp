// SPDX-License-Identifier: Apache-2.0
// Level 6: atomics. A histogram: each block counts in shared memory, then adds its counts to the
// result. Integer sums do not depend on the order of arrival; a float sum would, so the library
// keeps float atomics out of results.
#include "level.h"

using namespace barline::dsl;

constexpr int threads = 64, bins = 32;

/// counts[v mod 32] += 1 for each of n values; counts starts at zero.
KernelSource level_histogram(Elem) {
  Axis n{"n"}, b{"bins", bins};
  In x{"x", s32, {n}};
  InOut counts{"counts", u32, {b}};
  LaunchShape launch{.threads = {threads}, .grid = {Blocks(n, 4 * threads)}};
  return kernel("level_histogram", {x, counts}, launch, [=](Thread& t) {
    Shared mine = t.shared("mine", u32, bins);
    auto rank = t.rank();
    t.when(rank < bins, [&] { t.store(mine, rank, t.constant(u32, 0)); });
    for (int k = 0; k < 4; ++k) {
      auto i = t.block().x * (4 * threads) + k * threads + rank;
      t.when(i < n,
             [&] { t.atomic(barline::ir::RmwKind::Add, mine, t.load(x(i)) & (bins - 1), 1); });
    }
    t.when((rank < bins) & (rank < b),
           [&] { t.atomic(barline::ir::RmwKind::Add, counts(rank), t.load(mine, rank)); });
  });
}

void reference(ReferenceArgs args) {
  const auto* x = args.tensors.at("x").as<std::int32_t>();
  auto* counts = args.tensors.at("counts").as<std::uint32_t>();
  for (std::int64_t i = 0; i < args.sizes.at("n"); ++i) ++counts[x[i] & (bins - 1)];
}

extern "C" void barline_plugin(Registry& registry) {
  registry.add({.name = "level_histogram",
                .doc = "counts of n values modulo 32",
                .types = {s32},
                .schedules = {{.name = "threads64", .threads = threads}},
                .make = level_histogram,
                .reference = reference,
                .bytes = [](Elem, const auto& n) { return 4.0 * n.at("n"); }});
}

int main() { return level::run({{"n", 1000}, {"bins", bins}}); }
