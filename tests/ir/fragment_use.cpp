// SPDX-License-Identifier: Apache-2.0
// Products of layouts, boxes over tensors, and the shares of a copy.
#include "ir/fragment_use.h"

#include <catch2/catch.hpp>
#include <set>

#include "ir/copy_share.h"
#include "ir/swizzle.h"

using namespace barline::ir;

namespace {

constexpr int M = 0, N = 1, K = 2;

struct Tiles {
  Layout c, a, b;
};
Tiles tiles(Atom atom, const BlockTile& t) {
  return {fragment_c("c", atom, t, M, N), fragment_a("a", atom, t, M, K),
          fragment_b("b", atom, t, K, N)};
}

}  // namespace

TEST_CASE("a product is known from its operands' layouts", "[ir][fragment]") {
  for (Elem e : {Elem::F16, Elem::S8})
    for (BlockTile t : {BlockTile{64, 16, 32, 2, 2}, BlockTile{16, 8, 32, 1, 1},
                        BlockTile{128, 64, 64, 4, 1}, BlockTile{32, 256, 32, 1, 8}}) {
      auto [c, a, b] = tiles(*atom_of(e), t);
      auto p = product_of(c, a, b, e);
      REQUIRE(p);
      CHECK((p->m == M && p->n == N && p->k == K));
      CHECK((p->tile.m == t.m && p->tile.n == t.n && p->tile.k == t.k));
      CHECK((p->tile.warps_m == t.warps_m && p->tile.warps_n == t.warps_n));
      CHECK_FALSE(product_of(c, b, a, e));
      CHECK_FALSE(product_of(c, a, a, e));
      CHECK_FALSE(product_of(c, a, b, e == Elem::F16 ? Elem::S8 : Elem::F16));
      BlockTile deeper = t;
      deeper.k *= 2;
      CHECK_FALSE(product_of(c, a, tiles(*atom_of(e), deeper).b, e));
    }
}

TEST_CASE("what one product gives is another one's operand", "[ir][fragment]") {
  BlockTile s{64, 32, 16, 4, 1}, o{64, 128, 32, 4, 1};
  const int D = 3;
  Layout p = fragment_c("s", {}, s, M, N);
  auto second =
      product_of(fragment_c("o", {}, o, M, D), p, fragment_b("v", {}, o, N, D), Elem::F16);
  REQUIRE(second);
  CHECK(second->k == N);
  // Where warps lie along n, none of them holds a whole row of the second product.
  BlockTile split{64, 32, 16, 2, 2}, of_split{64, 128, 32, 2, 2};
  CHECK_FALSE(product_of(fragment_c("o", {}, of_split, M, D), fragment_c("s", {}, split, M, N),
                         fragment_b("v", {}, of_split, N, D), Elem::F16));
}

TEST_CASE("a tile stands over its tensor's last axes, or those they derive from",
          "[ir][fragment]") {
  Kernel k;
  auto axis = [&](const char* name, int of = -1, std::int64_t per = 1, std::int64_t times = 1) {
    k.axes.push_back({.name = name, .bound = {}, .of = of, .per = per, .times = times});
    return static_cast<int>(k.axes.size() - 1);
  };
  axis("M"), axis("N"), axis("K");
  int groups = axis("G", K, 128), heads = axis("H"), other = axis("N_v");
  Layout b = fragment_b("b", {}, {.m = 16, .n = 16, .k = 16}, K, N);
  auto box = [&](std::vector<int> axes) {
    Param p;
    p.axes = std::move(axes);
    return box_of(k, p, b);
  };
  auto direct = box({heads, N, K});
  REQUIRE(direct);
  CHECK((direct->row.tile == N && direct->col.tile == K && !direct->col.quotient));
  CHECK(direct->col.index(40, 3) == 43);
  auto turned = box({K, N});
  REQUIRE(turned);
  CHECK((turned->row.tile == K && turned->col.tile == N));
  auto scales = box({N, groups});
  REQUIRE(scales);
  CHECK((scales->col.tile == K && scales->col.quotient));
  CHECK(scales->col.index(120, 7) == 0);
  CHECK(scales->col.index(120, 8) == 1);
  CHECK(scales->col.index(-1, 0) == -1);
  CHECK_FALSE(box({M, K}));
  CHECK_FALSE(box({N, K, heads}));
  CHECK_FALSE(box({N}));
  CHECK_FALSE(box({other, K}));
  k.launch.grid[1] = {.axis = N, .per_block = 16, .count = 1, .also = {other}};
  CHECK(box({other, K}));  // segments of one axis
  Layout rows = without_axis(b, K);
  Param p;
  p.axes = {N, K};
  auto one = box_of(k, p, rows);
  REQUIRE(one);
  CHECK((one->row.tile == N && one->col.tile == -1));
  CHECK(tile_axes(rows) == std::vector<int>{N});
}

TEST_CASE("threads share the copy of a box, each element once", "[ir][fragment]") {
  for (auto [rows, columns, bytes, threads] : {std::tuple{16, 32, 2, 128},
                                               {64, 64, 2, 256},
                                               {3, 20, 2, 32},
                                               {5, 7, 4, 96},
                                               {1, 1, 1, 32},
                                               {16, 16, 2, 128},
                                               {8, 4, 2, 128},
                                               {16, 16, 1, 128},
                                               {8, 128, 4, 64}}) {
    CopyShare s = copy_share(rows, columns, bytes, threads);
    CHECK(columns % s.vec == 0);
    // Twice as wide is no vector, parts a row, or leaves threads idle that vectors could keep busy.
    CHECK((s.vec * bytes == 16 || columns % (2 * s.vec) != 0 ||
           rows * columns / (2 * s.vec) < threads));
    CHECK((rows * columns / s.vec >= threads || s.vec * bytes <= 4));
    std::set<std::pair<std::int64_t, std::int64_t>> seen;
    for (int t = 0; t < threads; ++t)
      for (int j = 0; j < s.rounds(); ++j)
        if (auto chunk = s.at(t, j))
          for (int e = 0; e < s.vec; ++e) seen.insert({chunk->row, chunk->col + e});
    CHECK(seen.size() == std::size_t(rows * columns));
    CHECK(seen.rbegin()->first == rows - 1);
  }
}

TEST_CASE("a swizzle keeps a row's elements in the row, and spreads a column's over the banks",
          "[ir][fragment]") {
  for (int columns : {16, 32, 64, 128, 256, 24}) {
    Swizzle s = swizzle_of(columns, 2);
    std::set<std::int64_t> all;
    for (int r = 0; r < 16; ++r)
      for (int c = 0; c < columns; ++c) {
        CHECK(s.at(r, c) / columns == r);
        all.insert(s.at(r, c));
      }
    CHECK(all.size() == std::size_t(16 * columns));
    if (columns == 24) continue;
    for (int c = 0; c < columns; c += 8)
      for (int first : {0, 8}) {
        std::set<std::int64_t> banks;  // groups of 16 bytes of the 128 that all banks have
        for (int r = first; r < first + 8; ++r) banks.insert(s.at(r, c) / 8 % 8);
        CHECK(banks.size() == 8);
      }
  }
}
