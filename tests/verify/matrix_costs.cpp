// SPDX-License-Identifier: Apache-2.0
// What products pay for memory, counted from every lane's address: no bank conflict at their slots
// for rows of 32 to 512 bytes, and no sector of global memory beyond those that the bytes fill.
#include <catch2/catch.hpp>

#include "dsl/dsl.h"
#include "ir/pipeline.h"
#include "ir/print.h"
#include "verify/proof/prove.h"

using namespace barline;
using namespace barline::dsl;
using ir::Store;

namespace {

using Sizes = std::map<std::string, std::int64_t>;

verify::ProofReport costs_of(const KernelSource& source, const ir::Schedule& schedule,
                             const Sizes& sizes) {
  ir::Kernel k = instantiate(source, {.schedule = schedule, .dims = sizes});
  ir::run_pipeline(k);
  return verify::prove(k, {.sizes = {}, .minimal = false, .max_cases = 1});
}

/// Checks every access; `kinds`: ops of which there must be at least one.
void check_free(const verify::ProofReport& r, const std::vector<std::string>& kinds) {
  for (const std::string& kind : kinds)
    CHECK(std::any_of(r.costs.begin(), r.costs.end(), [&](const verify::AccessCost& c) {
      return c.shared && c.op.text.find(kind) != std::string::npos;
    }));
  CHECK(r.verdict == verify::Verdict::Proved);
  CHECK(r.extra_cycles == 0);
  for (const verify::AccessCost& c : r.costs) {
    INFO(c.op.text << " on " << c.buffer);
    CHECK(c.max_ways <= 1);
    if (!c.shared && !c.writes) CHECK(c.sectors == c.ideal_sectors);
  }
}

ir::Schedule staged(ir::MatrixTile tile, ir::Agent by = ir::Agent::Lane) {
  return {.name = "s",
          .tile = tile,
          .streams = {{.of = "x", .store = Store::Smem, .by = by},
                      {.of = "w", .store = Store::Smem, .by = by}}};
}

KernelSource product(Elem e) {
  Axis M{"M"}, K{"K"}, N{"N"};
  In x{"x", e, {M, K}}, w{"w", e, {K, N}};
  Out y{"y", f32, {M, N}};
  return kernel("product", {x, w, y}, [=](Tiles& b) {
    b.store(y(M, N), b.sum(K, [&](Index k) { return dot(x(M, k), w(k, N)); }));
  });
}

}  // namespace

TEST_CASE("slots of 16-bit rows of 32 to 512 bytes have no bank conflicts", "[proof]") {
  for (std::uint16_t columns : {16, 32, 64, 128, 256})
    for (auto by : {ir::Agent::Lane, ir::Agent::CpAsync}) {
      INFO(columns << " columns");
      const char* in = by == ir::Agent::Lane ? "store" : "copy_async";
      // Rows of x are as long as a step, rows of w as the tile is wide.
      check_free(costs_of(product(f16), staged({.m = 32, .n = 16, .k = columns, .warps_m = 2}, by),
                          {{"M", 32}, {"K", 2 * columns}, {"N", 16}}),
                 {"load_matrix", in});
      check_free(costs_of(product(bf16), staged({.m = 16, .n = columns, .k = 16, .warps_n = 2}, by),
                          {{"M", 16}, {"K", 32}, {"N", columns}}),
                 {"load_matrix", in});
    }
}

TEST_CASE("slots of packed words and of their scales have no bank conflicts", "[proof]") {
  Axis M{"M"}, K{"K"}, N{"N"};
  In x{"x", f16, {M, K}};
  Int4 w{"w", {N, K}, 64};
  Out y{"y", f32, {M, N}};
  auto source = kernel("int4", {x, w, y}, [=](Tiles& b) {
    b.store(y(M, N), b.sum(K, [&](Index k) { return dot(x(M, k), w(N, k)); }));
  });
  ir::Schedule s = staged({.m = 16, .n = 64, .k = 64, .warps_n = 4});
  s.streams.items[1].packed = true;
  check_free(costs_of(source, s, {{"M", 16}, {"K", 128}, {"N", 64}}), {"load_matrix", "load %"});
}

TEST_CASE("rows that are not swizzled do conflict", "[proof]") {
  // 96 bytes are no power of two of chunks: the counter tells.
  auto r = costs_of(product(f16), staged({.m = 16, .n = 48, .k = 16}),
                    {{"M", 16}, {"K", 32}, {"N", 48}});
  CHECK(r.extra_cycles > 0);
}
