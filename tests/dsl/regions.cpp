// SPDX-License-Identifier: Apache-2.0
// t.region: what it leaves in a kernel, timed and not, and what is refused.
#include <catch2/catch.hpp>

#include "dsl/dsl.h"
#include "ir/pipeline.h"
#include "ir/print.h"
#include "runtime/regions/samples.h"
#include "tests/dsl/errors.h"
#include "verify/interp/simulate.h"

using namespace barline;
using namespace barline::dsl;

namespace {

constexpr int blocks = 3, trips = 5;

/// Sums of trips, block by block; block 0 has a region of its own. `named`: with regions.
KernelSource summing(bool named) {
  Axis n{"n", 32};
  Out y{"y", s32, {n}};
  return kernel("summing", {y}, {.threads = {32}, .grid = {Blocks(n, 32)}}, [=](Thread& t) {
    auto region = [&](const char* name, Class klass, const std::function<void()>& body) {
      named ? t.region(name, klass, body) : body();
    };
    Var sum = t.var(t.constant(s32, 0));
    region("whole", Class::Work, [&] {
      t.loop(0, trips, [&](Value i) { region("trip", Class::Work, [&] { sum += i; }); });
    });
    t.when(t.block().x == 0, [&] { region("first", Class::Wait, [&] { sum += 1; }); });
    t.store(y(t.block().x * 32 + t.rank()), sum);
  });
}

std::string after_passes(ir::Kernel k) {
  ir::run_pipeline(k);
  return ir::print(k);
}

}  // namespace

TEST_CASE("regions leave nothing in a kernel that is not timed", "[dsl][regions]") {
  const ir::Kernel with = instantiate(summing(true), {}), without = instantiate(summing(false), {});
  CHECK(with.region_table.size() == 3);
  CHECK(ir::print(with) != ir::print(without));
  CHECK(after_passes(with) == after_passes(without));
  CHECK(after_passes(instantiate(summing(true), {.timing = true})) != after_passes(without));
}

TEST_CASE("a timed kernel counts each time of each region, block by block", "[dsl][regions]") {
  ir::Kernel k = instantiate(summing(true), {.timing = true});
  ir::run_pipeline(k);
  ir::Tensor y(s32, {blocks * 32}), times(u64, {1, 1, blocks, 24});
  const std::vector<verify::SimArgument> arguments{y, times};
  const std::vector<std::int64_t> sizes{blocks * 32};
  REQUIRE(verify::simulate(k, arguments, sizes).clean());
  CHECK(y.as<std::int32_t>()[0] == 11);
  CHECK(y.as<std::int32_t>()[32] == 10);
  const auto* words = times.as<std::uint64_t>();
  const std::vector<std::vector<std::uint64_t>> buffers{{words, words + times.count()}};
  const auto s = regions::read_samples(k.region_table, blocks, buffers);
  for (const regions::Block& b : s.launches[0].blocks) {
    REQUIRE(b.ran);
    CHECK(b.visits[0].count == 1);
    CHECK(b.visits[1].count == trips);
    CHECK(b.visits[1].min > 0);
    CHECK(b.visits[1].max >= b.visits[1].min);
    CHECK(b.visits[1].cycles >= trips * b.visits[1].min);
    CHECK(b.visits[1].cycles <= b.visits[0].cycles);
    CHECK(b.visits[0].cycles <= b.cycles);
    CHECK(b.visits[2].count == (b.index == 0 ? 1 : 0));
  }
  CHECK(k.region_table[0].where == "");
  CHECK(k.region_table[2].where == "block.x == 0");
}

TEST_CASE("a region has one class and a name", "[dsl][regions]") {
  Axis n{"n", 32};
  Out y{"y", s32, {n}};
  auto with = [&](const std::function<void(Thread&)>& body) {
    return kernel("k", {y}, {.threads = {32}, .grid = {Blocks(n, 32)}}, [=](Thread& t) {
      body(t);
      t.store(y(t.block().x * 32 + t.rank()), 1);
    });
  };
  auto twice = with([](Thread& t) {
    t.region("a", Class::Work, [] {});
    t.region("a", Class::Wait, [] {});
  });
  auto spaced = with([](Thread& t) { t.region("a b", Class::Work, [] {}); });
  CHECK_THROWS_WITH(instantiate(twice, {}),
                    Catch::Contains("region 'a' as work and as wait") &&
                        Catch::Contains("give it one class wherever it stands"));
  CHECK_THROWS_WITH(instantiate(spaced, {}),
                    Catch::Contains("region 'a b'") && Catch::Contains("rename it"));
}
