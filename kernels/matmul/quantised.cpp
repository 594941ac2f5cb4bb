// SPDX-License-Identifier: Apache-2.0
// Fused QKV projections: {y_q, y_k, y_v} = x {w_q, w_k, w_v} over quantised weights, f16 in and
// out, sums in f32. The projections are segments of one axis, each of its own width (GQA).
//
//   qkv_w4a16   int4 codes with f16 scales a group of k: w = rn_f16(q * s)
//   qkv_w8a16   int8 codes, one f32 scale a projection, after the sum
//   qkv_w8a16_columns   the same with a scale a column
//   matmul_w4a16*       one projection alone, groups of 32 .. 256 or all of K
#include <fmt/format.h>
#include <algorithm>

#include "dsl/dsl.h"
#include "kernels/kernels.h"
#include "kernels/matmul/schedules.h"
#include "kernels/reference/contraction.h"

namespace barline::kernels {
namespace {

using namespace dsl;

KernelSource qkv_w4a16(std::int64_t group) {
  Axis M{"M"}, K{"K", group}, N{"N", {"q", "k", "v"}};
  In x{"x", f16, {M, K}};
  Int4 w{"w", {N, K}, group};
  Out y{"y", f16, {M, N}};
  return kernel("qkv_w4a16", {x, w, y}, [=](Tiles& b) {
    auto acc = b.sum(K, [&](Index k) { return dot(x(M, k), w(N, k)); });
    b.store(y(M, N), acc);
  });
}

KernelSource qkv_w8a16(Elem) {
  Axis M{"M"}, K{"K", 16}, N{"N", {"q", "k", "v"}};
  In x{"x", f16, {M, K}};
  Int8 w{"w", {K, N}};
  Arg scale{"w_scale", f32, N};
  Out y{"y", f16, {M, N}};
  return kernel("qkv_w8a16", {x, w, scale, y}, [=](Tiles& b) {
    auto acc = b.sum(K, [&](Index k) { return dot(x(M, k), w(k, N)); });
    b.store(y(M, N), acc * scale);
  });
}

KernelSource qkv_w8a16_columns(Elem) {
  Axis M{"M"}, K{"K", 16}, N{"N", {"q", "k", "v"}};
  In x{"x", f16, {M, K}}, scale{"w_scale", f32, {N}};
  Int8 w{"w", {K, N}};
  Out y{"y", f16, {M, N}};
  return kernel("qkv_w8a16_columns", {x, w, scale, y}, [=](Tiles& b) {
    auto acc = b.sum(K, [&](Index k) { return dot(x(M, k), w(k, N)); });
    b.store(y(M, N), acc * b.tile(scale(N)));
  });
}

/// One projection alone: y = x rn_f16(q * s), f16 or f32 out, groups of 32 .. 256 or all of K.
KernelSource matmul_w4a16(Elem type, std::int64_t group) {
  Axis M{"M"}, K{"K", group ? group : 8}, N{"N"};
  In x{"x", f16, {M, K}};
  Int4 w{"w", {N, K}, group};
  Out y{"y", type, {M, N}};
  return kernel("matmul_w4a16", {x, w, y}, [=](Tiles& b) {
    auto acc = b.sum(K, [&](Index k) { return dot(x(M, k), w(N, k)); });
    b.store(y(M, N), acc);
  });
}

const reference::Contraction single{.weights = reference::Weights::Int4};
const reference::Contraction int4{.weights = reference::Weights::Int4,
                                  .segments = {"_q", "_k", "_v"}};
const reference::Contraction int8{.weights = reference::Weights::Int8,
                                  .segments = {"_q", "_k", "_v"}};

constexpr ir::Schedule ring_int4(std::string_view name, ir::MatrixTile tile, int slots, int ctas) {
  return {.name = name,
          .tile = tile,
          .streams = {ring_of("x", slots, false, true), ring_of("w", slots, true, true),
                      ring_of("w_scale", slots, false, true)},
          .budget = {.ctas_per_sm = static_cast<std::uint8_t>(ctas)}};
}

constexpr ir::Schedule ring_int8(std::string_view name, ir::MatrixTile tile, int slots, int ctas) {
  return {.name = name,
          .tile = tile,
          .streams = {ring_of("x", slots, false, true), ring_of("w", slots, true, true)},
          .budget = {.ctas_per_sm = static_cast<std::uint8_t>(ctas)}};
}

constexpr ir::MatrixTile tile_128x128{.m = 128, .n = 128, .k = 64, .warps_m = 2, .warps_n = 2};
constexpr ir::MatrixTile tile_64x128{.m = 64, .n = 128, .k = 128, .warps_m = 1, .warps_n = 4};
constexpr ir::MatrixTile tile_64x64{.m = 64, .n = 64, .k = 128, .warps_m = 1, .warps_n = 4};

/// Weights as A, made in registers: `warps` of 16 rows each beside tokens in slots.
constexpr ir::Schedule unit(std::string_view name, int rows, int tokens, int slots, bool scales) {
  const int groups = rows % 192 == 0 ? 3 : 2;
  ir::Schedule s = two_warpgroups(name,
                                  {.m = static_cast<std::uint16_t>(tokens),
                                   .n = static_cast<std::uint16_t>(rows),
                                   .k = 128,
                                   .warps_m = 1,
                                   .warps_n = static_cast<std::uint8_t>(4 * groups)},
                                  {gated("x", slots), gated("w", slots, true)}, "w");
  if (scales) s.streams = {gated("x", slots), gated("w", slots, true), gated("w_scale", slots)};
  if (groups == 3)
    s.roles = {{.name = "fill", .warps = 4, .regs = 56},
               {.name = "multiply", .warps = 12, .regs = 144}};
  return s;
}

/// The same by two blocks of a cluster that have half of k each, for few tokens: one tile a
/// cluster, and each block stores half of its sums. `next`: beside the next grid.
constexpr ir::Schedule cluster(std::string_view name, int tokens, int slots, bool scales,
                               bool next = false) {
  ir::Schedule s = unit(name, 192, tokens, slots, scales);
  s.tile.k = 128;
  s.walk = ir::Walk::Grid;
  s.splits = {{.axis = "K", .over = ir::Team::Cluster, .parts = 2, .merge = ir::Merge::Dsmem}};
  s.budget.beside_next = next;
  return s;
}

/// A few tokens: eight warps share out K, two blocks an SM. Each streams its operands from memory
/// to registers, the weights, which play A, `ahead` steps of 64 `units` ahead: one where the blocks
/// then have enough in flight, as code that is not unrolled is fetched faster. `next`: beside the
/// next grid.
constexpr ir::Schedule stream(std::string_view name, int tokens, int units, int ahead, bool scales,
                              bool next) {
  constexpr int warps = 8;
  ir::Schedule s{.name = name,
                 .tile = {.m = static_cast<std::uint16_t>(tokens),
                          .n = 48,
                          .k = static_cast<std::uint16_t>(64 * warps * units)},
                 .dot = {.a = "w"},
                 .splits = {{.axis = "K", .parts = warps, .merge = ir::Merge::Smem}},
                 .streams = {registers_of("x", 1), registers_of("w", ahead, true)},
                 .budget = {.ctas_per_sm = 2, .beside_next = next}};
  if (scales)
    s.streams = {registers_of("x", 1), registers_of("w", ahead, true), registers_of("w_scale", 1)};
  return s;
}

/// A product of any shape: lanes fill two slots a step ahead, scales go to registers.
constexpr ir::Schedule pair_64x64{
    .name = "pair64x64",
    .tile = {.m = 64, .n = 64, .k = 32, .warps_m = 2, .warps_n = 2},
    .streams = {{.of = "x", .store = Store::Smem, .slots = 2, .ahead = 1},
                {.of = "w", .store = Store::Smem, .slots = 2, .ahead = 1},
                {.of = "w_scale", .store = Store::Reg, .hoist = true}}};

KernelEntry entry(std::string name, std::string doc, std::vector<ir::Schedule> schedules,
                  std::function<KernelSource(Elem)> make, const reference::Contraction& c) {
  return {.name = std::move(name),
          .doc = std::move(doc),
          .types = {f16},
          .schedules = std::move(schedules),
          .make = std::move(make),
          .reference = [c](ReferenceArgs a) { reference::contract(c, a); },
          .bytes =
              [c](Elem, const auto& n) {
                double k = n.at("K"), m = n.at("M"), columns = 0;
                for (const std::string& s : c.segments) columns += n.at("N" + s);
                double weight = c.weights == reference::Weights::Int4 ? 0.5 : 1;
                return 2 * m * k + weight * k * columns + 2 * m * columns;
              },
          .flops = [c](Elem, const auto& n) { return reference::contraction_flops(c, n); },
          .input = [c](const InputArgs& a) { return reference::contraction_input(c, a); },
          .bound = [c](const ReferenceArgs& a) { return reference::contract_bounds(c, a); }};
}

}  // namespace

void add_quantised(Registry& registry) {
  // A tile of 128 rows for prefill, of 64 for up to 64 tokens: narrow where few blocks are to be
  // had.
  std::vector<ir::Schedule> rings4{ring_int4("ring128x128", tile_128x128, 3, 2),
                                   ring_int4("ring64x128", tile_64x128, 3, 2),
                                   ring_int4("ring64x64", tile_64x64, 3, 3)};
  std::vector<ir::Schedule> rings8{ring_int8("ring128x128", tile_128x128, 3, 2),
                                   ring_int8("ring64x128", tile_64x128, 3, 2),
                                   ring_int8("ring64x64", tile_64x64, 3, 3)};
  rings4.push_back(unit("unit192x128", 192, 128, 4, true));
  rings4.push_back(unit("unit256x128", 256, 128, 4, true));
  rings8.push_back(unit("unit192x128", 192, 128, 4, false));
  rings8.push_back(unit("unit256x128", 256, 128, 3, false));
  for (bool next : {false, true}) {
    auto name = [&](std::string_view plain, std::string_view beside) {
      return next ? beside : plain;
    };
    // Of a bound K all steps are written out: ptxas then waits for a step's loads alone, where it
    // waits for all in flight at a loop's edge.
    rings4.push_back(stream(name("stream8x48", "next8x48"), 8, 2, 1, true, next));
    rings4.push_back(stream(name("stream8x48_K4096", "next8x48_K4096"), 8, 2, 1, true, next));
    rings4.push_back(stream(name("stream16x48", "next16x48"), 16, 1, 2, true, next));
    rings4.push_back(stream(name("stream16x48_K4096", "next16x48_K4096"), 16, 1, 1, true, next));
    rings8.push_back(stream(name("stream8x48", "next8x48"), 8, 1, 1, false, next));
    rings8.push_back(stream(name("stream8x48_K4096", "next8x48_K4096"), 8, 2, 1, false, next));
    rings8.push_back(stream(name("stream16x48", "next16x48"), 16, 1, 1, false, next));
    rings8.push_back(stream(name("stream16x48_K4096", "next16x48_K4096"), 16, 1, 1, false, next));
  }
  auto all = [](const ir::Schedule& s, const ir::Schedule& sp, std::vector<ir::Schedule> rings) {
    rings.insert(rings.begin(), {s, sp});
    return rings;
  };
  rings8.push_back(design_s("s56", 56));
  const std::vector<ir::Schedule> of_columns = rings8;
  rings4.push_back(cluster("cluster192x16", 16, 8, true));
  rings4.push_back(cluster("cluster192x32", 32, 8, true));
  rings4.push_back(cluster("cluster192x64", 64, 6, true));
  rings4.push_back(cluster("cluster192x128", 128, 3, true));
  rings4.push_back(cluster("next192x64", 64, 6, true, true));
  rings8.push_back(cluster("cluster192x32", 32, 5, false));
  rings8.push_back(cluster("cluster192x64", 64, 4, false));
  rings8.push_back(cluster("cluster192x128", 128, 3, false));
  rings8.push_back(cluster("next192x64", 64, 4, false, true));
  registry.add(entry(
      "qkv_w4a16", "q, k, v = x {w_q, w_k, w_v}, int4 weights in groups of 128",
      all(design_s("s", 56), design_sp_scales, rings4), [](Elem) { return qkv_w4a16(128); }, int4));
  registry.add(entry("qkv_w8a16", "q, k, v = x {w_q, w_k, w_v}, int8 weights, a scale a projection",
                     all(design_s("s", 48), design_sp, rings8), qkv_w8a16, int8));
  registry.add(entry("qkv_w8a16_columns",
                     "q, k, v = x {w_q, w_k, w_v}, int8 weights, a scale a column",
                     all(design_s("s", 48), design_sp, of_columns), qkv_w8a16_columns, int8));
  auto named = [&](std::string_view name) {
    return *std::ranges::find(rings4, name, &ir::Schedule::name);
  };
  KernelEntry one = entry(
      "matmul_w4a16", "y = x w, int4 weights in groups of 128",
      {pair_64x64, named("ring64x128"), named("stream8x48"), named("cluster192x64"),
       named("unit192x128")},
      [](Elem type) { return matmul_w4a16(type, 128); }, single);
  one.types = {f16, f32};
  registry.add(one);
  for (std::int64_t group : {32, 64, 256, 0}) {
    one.name = group ? fmt::format("matmul_w4a16_g{}", group) : "matmul_w4a16_gk";
    one.doc = group ? fmt::format("y = x w, int4 weights in groups of {}", group)
                    : "y = x w, int4 weights with a scale a column";
    one.types = {f16};
    one.schedules = {pair_64x64};
    one.make = [group](Elem type) { return matmul_w4a16(type, group); };
    registry.add(one);
  }
}

}  // namespace barline::kernels
