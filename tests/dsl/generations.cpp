// SPDX-License-Identifier: Apache-2.0
// Counters of generations that are declared or used wrongly are refused where the author wrote
// them.
#include "dsl/generations.h"

#include <catch2/catch.hpp>

#include "dsl/kernel.h"
#include "ir/diagnostic.h"

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
                                       Contains("declare the tensor as InOut of u64, zeroed"));
}

TEST_CASE("an election is among 1 to 65535 blocks", "[dsl]") {
  CHECK_NOTHROW(build(u64, 65535));
  for (std::int64_t parts : {0, 65536})
    CHECK_THROWS_WITH(build(u64, parts), Contains("tests/dsl/generations.cpp:") &&
                                             Contains("an election among") &&
                                             Contains("1 .. 65535"));
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
