// SPDX-License-Identifier: Apache-2.0
// Counters of generations that are declared or used wrongly are refused where the author wrote
// them.
#include "dsl/generations.h"

#include <catch2/catch.hpp>

#include "dsl/kernel.h"
#include "ir/diagnostic.h"
#include "ir/pipeline.h"
#include "run.h"

using namespace barline;
using namespace barline::dsl;
using Catch::Matchers::Contains;

namespace {

void build(Elem counter, std::int64_t parts) {
  Axis n{"n"};
  InOut launches{"launches", counter, {n}}, arrivals{"arrivals", counter, {n}};
  KernelSource source =
      kernel("k", {launches, arrivals}, {.threads = {32}, .grid = {Blocks(n)}, .cooperative = true},
             [=](Thread& t) {
               Generations g(t, launches(t.block().x));
               g.when_last(arrivals(0), parts, [] {});
             });
  instantiate(source, {});
}

}  // namespace

TEST_CASE("counters of generations are u64", "[dsl]") {
  CHECK_NOTHROW(build(u64, 4));
  CHECK_THROWS_WITH(build(u32, 4), Contains("generations.cpp:") && Contains("'launches' of u32") &&
                                       Contains("declare the tensor as Scratch of u64"));
}

TEST_CASE("an election is among 1 to 65535 blocks", "[dsl]") {
  CHECK_NOTHROW(build(u64, 65535));
  for (std::int64_t parts : {0, 65536})
    CHECK_THROWS_WITH(build(u64, parts), Contains("tests/dsl/generations.cpp:") &&
                                             Contains("an election among") &&
                                             Contains("1 .. 65535"));
}

TEST_CASE("one block is the last of one part: nothing is counted", "[dsl]") {
  Axis n{"n"};
  InOut launches{"launches", u64, {n}}, arrivals{"arrivals", u64, {n}};
  auto built = [&](int parts) {
    KernelSource source =
        kernel("k", {launches, arrivals},
               {.threads = {32}, .grid = {Blocks(n)}, .cooperative = true}, [=](Thread& t) {
                 Generations g(t, launches(t.block().x));
                 g.when_last(arrivals(0), parts, [&] { t.store(arrivals(t.block().x), 7); });
               });
    ir::Kernel k = instantiate(source, {});
    int atomics = 0;
    ir::run_pipeline(k);
    ir::walk(k.body, [&](const ir::Operation& op) { atomics += op.is(ir::Op::Atomic); });
    return atomics;
  };
  CHECK(built(1) == 0);
  CHECK(built(2) == 2);
}

TEST_CASE("blocks all meet: each sees what the others wrote", "[dsl]") {
  Axis n{"n"}, d{"d"};
  InOut launches{"launches", u64, {n}}, word{"word", u64, {d}};
  InOut x{"x", s32, {n}};
  Out y{"y", s32, {n}};
  constexpr int blocks = 5;
  KernelSource source =
      kernel("meet", {launches, word, x, y},
             {.threads = {64}, .grid = {Blocks(n)}, .cooperative = true}, [=](Thread& t) {
               Value block = t.block().x;
               Generations g(t, launches(block));
               t.when(t.rank() == 3, [&] { t.store(x(block), block * 10 + 1); });
               g.meet_all(word(0), t.size(n));
               t.when(t.rank() == 60, [&] {
                 Var sum = t.var(s32, 0);
                 t.loop(0, n, {}, [&](Value b) { sum += t.load(x(b)); });
                 t.store(y(block), sum);
               });
             });
  ir::Tensor at_launch(u64, {blocks}), words(u64, {1}), parts(s32, {blocks}), sums(s32, {blocks});
  for (std::uint64_t launch = 1; launch <= 3; ++launch) {
    test::run(source, {at_launch, words, parts, sums}, {blocks, 1});
    CHECK(test::values<std::int32_t>(sums) == std::vector<std::int32_t>(blocks, 105));
    CHECK(test::values<std::uint64_t>(words)[0] == (launch << 16 | blocks));
    std::fill(parts.data.begin(), parts.data.end(), std::byte{0});
  }
}

TEST_CASE("a wait reports to a word of its flag's tensor", "[dsl]") {
  Axis n{"n"};
  InOut launches{"launches", u64, {n}}, flags{"flags", u64, {n}};
  KernelSource source =
      kernel("k", {launches, flags}, {.threads = {32}, .grid = {Blocks(n)}, .cooperative = true},
             [=](Thread& t) {
               Generations g(t, launches(t.block().x));
               g.wait(flags(0), GiveUp{100, launches(0)});
             });
  CHECK_THROWS_WITH(instantiate(source, {}), Contains("a wait for 'flags' that reports to") &&
                                                 Contains("a word of the flag's tensor"));
}

TEST_CASE("a promised multiple is added to what the axis declares", "[dsl]") {
  Axis n{"n", 4};
  InOut x{"x", u64, {n}};
  KernelSource source = kernel("k", {x}, {.threads = {32}}, [=](Thread& t) {
    t.promise_multiple(n, 6);
    t.store(x(0), 1);
  });
  CHECK(instantiate(source, {}).axes[0].multiple == 12);
  CHECK_NOTHROW(instantiate(source, {.dims = {{"n", 24}}}));
  CHECK_THROWS_WITH(instantiate(source, {.dims = {{"n", 8}}}),
                    Contains("axis 'n' bound to 8") && Contains("positive multiple of 12"));
}
