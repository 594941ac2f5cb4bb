// SPDX-License-Identifier: Apache-2.0
// Level 8: print and check. Both speak with the line of the source, on the simulator as on a GPU,
// and are gone unless the kernel is built for debugging.
#include "level.h"

using namespace barline::dsl;

constexpr int threads = 32;

/// y[i] = 100 / x[i], where x must not be 0.
KernelSource level_reciprocal(Elem) {
  Axis n{"n"};
  In x{"x", s32, {n}};
  Out y{"y", s32, {n}};
  LaunchShape launch{.threads = {threads}, .grid = {Blocks(n, threads)}};
  return kernel("level_reciprocal", {x, y}, launch, [=](Thread& t) {
    auto i = t.block().x * threads + t.rank();
    t.when(i < n, [&] {
      auto v = t.load(x(i));
      t.check(v != 0, "x holds a zero");
      t.when(v == 1, [&] { t.print("one at", {i}); });
      t.store(y(i), 100 / v);
    });
  });
}

void reference(ReferenceArgs args) {
  const auto* x = args.tensors.at("x").as<std::int32_t>();
  auto* y = args.tensors.at("y").as<std::int32_t>();
  for (std::int64_t i = 0; i < args.sizes.at("n"); ++i) y[i] = 100 / x[i];
}

extern "C" void barline_plugin(Registry& registry) {
  registry.add({.name = "level_reciprocal",
                .doc = "y = 100 / x",
                .types = {s32},
                .schedules = {{.name = "threads32", .threads = threads}},
                .make = level_reciprocal,
                .reference = reference,
                .bytes = [](Elem, const auto& n) { return 8.0 * n.at("n"); }});
}

int main() {
  int lines = 0;
  auto count = [&](std::string_view line) {
    fmt::print("  {}", line);
    ++lines;
  };
  // 18 inputs hold no zero (level::fill), and one of them is 1.
  int release = level::run({{"n", 18}}, {.debug = false, .print = count});
  bool silent = lines == 0;
  int debug = level::run({{"n", 18}}, {.debug = true, .print = count});
  bool spoke = lines == 1;
  // Input 18 is 0: the check must stop the kernel.
  int stopped = level::run({{"n", 40}}, {.debug = true, .print = count});
  bool good = release == 0 && debug == 0 && stopped == 1 && silent && spoke;
  fmt::print("release silent {}, debug prints {}, check stops {}: {}\n", silent, spoke,
             stopped == 1, good ? "PASS" : "FAIL");
  return good ? 0 : 1;
}
