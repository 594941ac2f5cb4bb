// SPDX-License-Identifier: Apache-2.0
// Products that are none, and schedules that promise what is not so: refused at the author's line,
// with a reason and a fix.
#include "errors.h"
#include "ir/pipeline.h"

using namespace barline;
using namespace barline::dsl;
using ir::Agent;
using ir::MatrixTile;
using ir::Schedule;
using ir::Segments;
using ir::Store;
using ir::Stream;

namespace {

constexpr MatrixTile one_warp{.m = 16, .n = 8, .k = 16};
constexpr MatrixTile four_warps{.m = 32, .n = 32, .k = 64, .warps_m = 2, .warps_n = 2};

struct Problem {
  Axis M{"M"}, K{"K"}, N{"N"}, Q{"Q"};
  In x{"x", f16, {M, K}}, w{"w", f16, {K, N}}, bytes{"bytes", s8, {K, N}}, bias{"bias", f32, {N}};
  Out y{"y", f32, {M, N}};

  using Factors = std::function<Product(Index)>;

  /// y = sum over k of the product, under a schedule.
  ir::Kernel sum(ParamList params, const Factors& factors, Schedule schedule = {.tile = one_warp}) {
    schedule.name = "s";
    return instantiate(kernel("k", std::move(params),
                              [=, this](Tiles& b) { b.store(y(M, N), b.sum(K, factors)); }),
                       {.schedule = schedule});
  }
  /// y = x w, declared at the caller's line.
  ir::Kernel product(Schedule schedule, Here here = Here::current()) {
    schedule.name = "s";
    return instantiate(kernel(
                           "k", {x, w, y},
                           [=, this](Tiles& b) {
                             auto factors = [&](Index k) { return dot(x(M, k), w(k, N), here); };
                             b.store(y(M, N), b.sum(K, factors));
                           },
                           here),
                       {.schedule = schedule});
  }
  ir::Kernel streamed(const Stream& s, Here here = Here::current()) {
    return product({.tile = one_warp, .streams = {s}}, here);
  }
};

}  // namespace

TEST_CASE("a product is a(m, k) * b(k, n) of one type", "[dsl]") {
  Problem p;
  auto &x = p.x, &w = p.w;
  auto &M = p.M, &N = p.N;
  EXPECT_ERROR(WrongAxis, "not a(m, k) * b(k, n) over K",
               p.sum({x, w, p.y}, [=](Index k) { return dot(x(M, k), w(k, 0)); }));
  EXPECT_ERROR(WrongAxis, "not a(m, k) * b(k, n) over K",
               p.sum({x, w, p.y}, [=](Index k) { return dot(x(0, k), w(k, N)); }));
  EXPECT_ERROR(WrongAxis, "not a(m, k) * b(k, n) over K",
               p.sum({x, w, p.y}, [=](Index) { return dot(x(M, 0), w(0, N)); }));
  EXPECT_ERROR(WrongAxis, "not a(m, k) * b(k, n) over K",
               p.sum({x, p.y}, [=](Index k) { return dot(x(M, k), x(M, k)); }));
  EXPECT_ERROR(TypeMismatch, "a product of f16 and s8",
               p.sum({x, p.bytes, p.y}, [=, &p](Index k) { return dot(x(M, k), p.bytes(k, N)); }));
  In wide{"wide", f32, {p.K, N}};
  EXPECT_ERROR(TypeMismatch, "a product of f16 and f32",
               p.sum({x, wide, p.y}, [=](Index k) { return dot(x(M, k), wide(k, N)); }));
  Int8 codes{"codes", {p.K, N}};
  EXPECT_ERROR(TypeMismatch, "the weight 'codes' as the first factor",
               p.sum({codes, x, p.y}, [=](Index k) { return dot(codes(k, N), x(M, k)); }));
}

TEST_CASE("segments are of a product's columns, and its results are stored as they are", "[dsl]") {
  Problem p;
  Axis S{"S", {"a", "b"}}, T{"T", {"c", "d", "e"}};
  In rows{"rows", f16, {S, p.K}}, w{"w", f16, {p.K, S}}, u{"u", f16, {p.K, T}};
  Out z{"z", f32, {p.M, S}};
  EXPECT_ERROR(WrongAxis, "segments on 'S', the rows of a sum",
               p.sum({rows, p.w, p.y}, [=, &p](Index k) { return dot(rows(S, k), p.w(k, p.N)); }));
  auto with = [&](ParamList list, auto body) {
    return instantiate(kernel("k", std::move(list), body),
                       {.schedule = {.tile = one_warp, .segments = Segments::Inner}});
  };
  auto x = p.x;
  auto y = p.y;
  auto M = p.M, K = p.K, N = p.N;
  EXPECT_ERROR(WrongAxis, "a tile of 2 segments stored in 'y', which has 1",
               with({x, w, y}, [=](Tiles& b) {
                 b.store(y(M, N), b.sum(K, [=](Index k) { return dot(x(M, k), w(k, S)); }));
               }));
  EXPECT_ERROR(WrongAxis, "a tile of 1 segments stored in 'z', which has 2",
               with({x, p.w, z}, [=, &p](Tiles& b) {
                 b.store(z(M, S), b.sum(K, [=, &p](Index k) { return dot(x(M, k), p.w(k, N)); }));
               }));
  EXPECT_ERROR(WrongAxis, "tiles of 2 and of 3 segments", with({x, w, u, z}, [=](Tiles& b) {
                 Tile two = b.sum(K, [=](Index k) { return dot(x(M, k), w(k, S)); });
                 Tile three = b.sum(K, [=](Index k) { return dot(x(M, k), u(k, T)); });
                 b.store(z(M, S), binary(ir::Op::Add, two, three, Here::current()));
               }));
}

TEST_CASE("tiles stand over the rows and columns of a sum", "[dsl]") {
  Problem p;
  auto x = p.x, w = p.w, bias = p.bias;
  auto y = p.y;
  auto M = p.M, K = p.K, N = p.N, Q = p.Q;
  In other{"other", f32, {Q}};
  auto with = [&](ParamList list, auto body) {
    return instantiate(kernel("k", std::move(list), body), {.schedule = {.tile = one_warp}});
  };
  EXPECT_ERROR(WrongAxis, "a tile of 'other' over axes that no sum has",
               with({x, w, other, y}, [=](Tiles& b) { b.store(y(M, N), b.tile(other(Q))); }));
  EXPECT_ERROR(WrongAxis, "which no sum shares out",
               with({x, w, y}, [=](Tiles& b) { b.store(y(M, N), Tile(b.constant(f32, 0))); }));
}

TEST_CASE("warps and atoms tile the block's tile", "[dsl]") {
  Problem p;
  EXPECT_ERROR(BadSchedule, "schedule 's' gives no matrix tile", p.product({}));
  auto tiled = [&](MatrixTile t, Here here = Here::current()) {
    return p.product({.tile = t}, here);
  };
  EXPECT_ERROR(BadSchedule, "tile 24 x 8 x 16 over 1 x 1 warps", tiled({.m = 24, .n = 8, .k = 16}));
  EXPECT_ERROR(BadSchedule, "tile 16 x 12 x 16", tiled({.m = 16, .n = 12, .k = 16}));
  EXPECT_ERROR(BadSchedule, "tile 16 x 8 x 8", tiled({.m = 16, .n = 8, .k = 8}));
  EXPECT_ERROR(BadSchedule, "tile 16 x 0 x 16", tiled({.m = 16, .n = 0, .k = 16}));
  EXPECT_ERROR(BadSchedule, "over 2 x 1 warps", tiled({.m = 16, .n = 8, .k = 16, .warps_m = 2}));
  EXPECT_ERROR(BadSchedule, "over 0 x 1 warps", tiled({.m = 16, .n = 8, .k = 16, .warps_m = 0}));
  EXPECT_ERROR(BadSchedule, "over 6 x 6 warps",
               tiled({.m = 96, .n = 48, .k = 16, .warps_m = 6, .warps_n = 6}));
  EXPECT_ERROR(BadSchedule, "128 threads, and a tile of 1 warps",
               p.product({.threads = 128, .tile = one_warp}));
  CHECK_NOTHROW(p.product({.threads = 32, .tile = one_warp}));
  CHECK_NOTHROW(p.product({.tile = four_warps, .segments = Segments::Inner}));
}

TEST_CASE("groups and packed units fit the tile", "[dsl]") {
  Problem p;
  auto with = [&](Int4 w, Schedule s, Here here = Here::current()) {
    auto factors = [=, &p](Index k) { return dot(p.x(p.M, k), w(p.N, k), here); };
    return p.sum({p.x, w, p.y}, factors, s);
  };
  auto int4 = [&](std::int64_t group) { return Int4{"w", {p.N, p.K}, group}; };
  EXPECT_ERROR(BadSchedule, "groups of 24 with steps of 16", with(int4(24), {.tile = one_warp}));
  EXPECT_ERROR(BadSchedule, "groups of 48 with steps of 64", with(int4(48), {.tile = four_warps}));
  Schedule packed{.tile = one_warp, .streams = {{.of = "w", .packed = true}}};
  EXPECT_ERROR(BadSchedule, "packed 'w' with tile 16 x 8 x 16", with(int4(64), packed));
  packed.tile = {.m = 16, .n = 8, .k = 64};
  EXPECT_ERROR(BadSchedule, "packed 'w' with tile 16 x 8 x 64", with(int4(64), packed));
  packed.tile = four_warps;
  CHECK_NOTHROW(with(int4(64), packed));
}

TEST_CASE("a stream says what is done, of an operand that is there", "[dsl]") {
  Problem p;
  EXPECT_ERROR(BadSchedule, "stream 'x' of 0 slots",
               p.streamed({.of = "x", .store = Store::Smem, .slots = 0}));
  EXPECT_ERROR(BadSchedule, "of 2 slots is filled 3 uses ahead",
               p.streamed({.of = "x", .store = Store::Smem, .slots = 2, .ahead = 3}));
  EXPECT_ERROR(BadSchedule, "is filled by tma without a role for it",
               p.streamed({.of = "x", .store = Store::Smem, .by = Agent::Tma}));
  EXPECT_ERROR(BadSchedule, "sets .owner or .step",
               p.streamed({.of = "x", .store = Store::Smem, .owner = ir::Team::Warp}));
  EXPECT_ERROR(BadSchedule, "sets .owner or .step",
               p.streamed({.of = "x", .store = Store::Smem, .step = 8}));
  EXPECT_ERROR(BadSchedule, "rows of a multiple of 0", p.streamed({.of = "x", .multiple = 0}));
  EXPECT_ERROR(BadSchedule, "stays in registers", p.streamed({.of = "x", .slots = 2}));
  EXPECT_ERROR(BadSchedule, "stays in registers", p.streamed({.of = "x", .by = Agent::CpAsync}));
  EXPECT_ERROR(
      BadSchedule, "guards copies that are not asynchronous",
      p.streamed({.of = "x", .store = Store::Smem, .slots = 2, .ahead = 1, .guard = true}));
  EXPECT_ERROR(BadSchedule, "streams 'v', which is no tensor of the kernel",
               p.streamed({.of = "v", .store = Store::Smem}));
  EXPECT_ERROR(BadSchedule, "streams 'y', which the kernel does not multiply",
               p.streamed({.of = "y", .store = Store::Smem}));
  EXPECT_ERROR(BadSchedule, "packs 'w', which is no quantised weight",
               p.streamed({.of = "w", .store = Store::Smem, .packed = true}));
  EXPECT_ERROR(BadSchedule, "stream 'x' is listed twice",
               p.product({.tile = one_warp, .streams = {{.of = "x"}, {.of = "x"}}}));
  EXPECT_ERROR(BadSchedule, "streams 'y', which the kernel does not multiply",
               p.streamed({.of = "y", .hoist = true}));
  CHECK_NOTHROW(p.streamed({.of = "x", .multiple = 8}));
}

TEST_CASE("a stream that hoists in registers is a ring without slots", "[dsl]") {
  Problem p;
  CHECK(p.streamed({.of = "x"}).rings.empty());
  ir::Kernel k = p.streamed({.of = "x", .hoist = true});
  REQUIRE(k.rings.size() == 1);
  CHECK((k.rings[0] == ir::Ring{"x", Agent::Lane, 0, 0, true}));
  ir::run_pipeline(k);
  CHECK(k.slots.empty());
}

TEST_CASE("rows are the multiple that a stream promises", "[dsl]") {
  Problem p;
  Schedule promise{.name = "s", .tile = one_warp, .streams = {{.of = "x", .multiple = 8}}};
  auto bound = [&](std::int64_t k, Here here = Here::current()) {
    return instantiate(kernel(
                           "k", {p.x, p.w, p.y},
                           [=, &p](Tiles& b) {
                             auto factors = [&](Index i) { return dot(p.x(p.M, i), p.w(i, p.N)); };
                             b.store(p.y(p.M, p.N), b.sum(p.K, factors));
                           },
                           here),
                       {.schedule = promise, .dims = {{"K", k}}});
  };
  EXPECT_ERROR(BadDim, "axis 'K' bound to 20, of which stream 'x' promises multiples of 8",
               bound(20));
  CHECK_NOTHROW(bound(24));
}

TEST_CASE("tiles and streams are of kernels that multiply", "[dsl]") {
  Problem p;
  auto w = p.bias;
  Out z{"z", f32, {p.N}};
  auto stripes = [&](Schedule s, Here here = Here::current()) {
    s.name = "s";
    return instantiate(kernel(
                           "k", {w, z}, [=](Tiles& b) { b.store(z(all), b.stripe(w(all))); }, here),
                       {.schedule = s});
  };
  EXPECT_ERROR(BadSchedule, "for a kernel that multiplies no matrices",
               stripes({.tile = one_warp}));
  EXPECT_ERROR(BadSchedule, "streams 'bias', which the kernel does not multiply",
               stripes({.streams = {{.of = "bias", .store = Store::Smem}}}));
  auto threads = [&](Schedule s, Here here = Here::current()) {
    s.name = "s";
    return instantiate(
        kernel(
            "k", {z}, LaunchShape{.threads = {32}}, [=](Thread& t) { t.store(z(0), 1); }, here),
        {.schedule = s});
  };
  EXPECT_ERROR(BadSchedule, "a tile, or a stream through shared memory, for a thread-level kernel",
               threads({.tile = one_warp}));
  EXPECT_ERROR(BadSchedule, "a tile, or a stream through shared memory, for a thread-level kernel",
               threads({.streams = {{.of = "z", .store = Store::Smem}}}));
  EXPECT_ERROR(BadSchedule, "streams 'w', which is no tensor of the kernel",
               threads({.streams = {{.of = "w", .slots = 3, .ahead = 3}}}));
  CHECK_NOTHROW(threads({.streams = {{.of = "z", .slots = 3, .ahead = 3}}}));
}

TEST_CASE("names that the compiler gives to derived axes are refused", "[dsl]") {
  Problem p;
  Int4 w{"w", {p.N, p.K}, 64};
  auto with = [&](const In& taken) {
    auto factors = [=, &p](Index k) { return dot(p.x(p.M, k), w(p.N, k)); };
    return p.sum({w, p.x, taken, p.y}, factors);
  };
  EXPECT_ERROR(BadName, "axis 'K_by8' is also what", with(In{"taken", f32, {Axis{"K_by8"}}}));
}

TEST_CASE("slots that no target has room for are refused at their load", "[dsl]") {
  Problem p;
  Stream x{.of = "x", .store = Store::Smem, .slots = 8};
  Schedule big{.tile = {.m = 256, .n = 32, .k = 64, .warps_m = 4, .warps_n = 1}, .streams = {x}};
  auto lowered = [](ir::Kernel k) { ir::run_pipeline(k); };
  auto place = [&](Index k, Here here = Here::current()) {
    return Place{&p.x, {CoordArg(p.M).coord, CoordArg(k).coord}, here};
  };
  auto product = [&](auto left) {
    return p.sum(
        {p.x, p.w, p.y}, [=, &p](Index k) { return dot(left(k), p.w(k, p.N)); }, big);
  };
  EXPECT_ERROR(BadSchedule, "slots of 262144 bytes; no target gives a block more than",
               lowered(product([&](Index k) { return place(k); })));
}

TEST_CASE("sums are not rounded to codes", "[dsl]") {
  Problem p;
  Out codes{"codes", s8, {p.M, p.N}};
  ir::Kernel k;
  EXPECT_ERROR(BadSchedule, "a fragment of s8 or s4 that no load made",
               k = instantiate(kernel("k", {p.x, p.w, codes},
                                      [=, &p](Tiles& b) {
                                        b.store(codes(p.M, p.N), b.sum(p.K, [&](Index i) {
                                          return dot(p.x(p.M, i), p.w(i, p.N));
                                        }));
                                      }),
                               {.schedule = {.name = "s", .tile = one_warp}});
               ir::run_pipeline(k));
}

TEST_CASE("a sum over a cluster's blocks is one tile a cluster, merged there", "[dsl]") {
  Problem p;
  const MatrixTile tile{.m = 16, .n = 32, .k = 16};
  ir::Split halves{.axis = "K", .over = ir::Team::Cluster, .parts = 2, .merge = ir::Merge::Dsmem};
  CHECK_NOTHROW(p.product({.tile = tile, .splits = {halves}}));
  EXPECT_ERROR(BadSchedule, "splits 'K' over 2 blocks of a cluster that walk the tiles",
               p.product({.tile = tile, .walk = ir::Walk::Persistent, .splits = {halves}}));
  EXPECT_ERROR(
      BadSchedule, "over 2 blocks of a cluster and over their warps",
      p.product({.tile = {.m = 16, .n = 32, .k = 32},
                 .splits = {halves, {.axis = "K", .parts = 2, .merge = ir::Merge::Smem}}}));
  ir::Split thirds = halves;
  thirds.parts = 3;
  EXPECT_ERROR(BadSchedule, "tile 16 x 32 x 16 over 1 x 1 warps shared out over 3 blocks",
               p.product({.tile = tile, .splits = {thirds}}));
  ir::Split nowhere = halves;
  nowhere.merge = ir::Merge::None;
  EXPECT_ERROR(BadSchedule, "over 2 blocks of a cluster, and does not merge there",
               p.product({.tile = tile, .splits = {nowhere}}));
}

TEST_CASE("a grid beside the one before waits for it first", "[dsl]") {
  Problem p;
  ir::Kernel k = p.product({.tile = one_warp, .budget = {.beside_next = true}});
  REQUIRE(k.body.ops.size() > 2);
  CHECK(k.body.ops[0].is(ir::Op::ReleaseNext));
  CHECK(k.body.ops[1].is(ir::Op::AwaitPrevious));
}
