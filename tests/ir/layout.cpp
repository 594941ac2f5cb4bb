// SPDX-License-Identifier: Apache-2.0
// Layouts forward and backward, and stripes as layouts.
#include "ir/layout.h"

#include <catch2/catch.hpp>
#include <set>

using namespace barline::ir;

namespace {

/// reg 4 -> d*1, lane 32 -> d*4, warp 2 -> d*128, chunk 3 -> d*256
const std::vector<Digit> stripe =
    stripe_layout("d", {.axis = 0, .vec = 4, .threads = 64, .chunks = 3}).digits;

Coordinate at(std::int64_t reg, std::int64_t lane, std::int64_t warp, std::int64_t chunk) {
  Coordinate c;
  c[In::Reg] = reg;
  c[In::Lane] = lane;
  c[In::Warp] = warp;
  c[In::Chunk] = chunk;
  return c;
}

}  // namespace

TEST_CASE("a coordinate's position is the sum of its digits' steps", "[ir]") {
  CHECK(evaluate(stripe, 0, at(0, 0, 0, 0)) == 0);
  CHECK(evaluate(stripe, 0, at(3, 0, 0, 0)) == 3);
  CHECK(evaluate(stripe, 0, at(1, 2, 1, 2)) == 1 + 8 + 128 + 512);
  CHECK(evaluate(stripe, 1, at(1, 2, 1, 2)) == 0);
}

TEST_CASE("several digits of one coordinate are its mixed radix", "[ir]") {
  const std::vector<Digit> split = {{In::Lane, 4, 0, 8}, {In::Lane, 8, 0, 1}};
  Coordinate c;
  c[In::Lane] = 13;  // 1 + 4 * 3
  CHECK(evaluate(split, 0, c) == 8 + 3);
  CHECK((*invert(split, 0, 11))[In::Lane] == 13);
}

TEST_CASE("invert finds the coordinate of every position and nothing past the end", "[ir]") {
  std::set<std::vector<std::int64_t>> seen;
  for (std::int64_t i = 0; i < 768; ++i) {
    auto c = invert(stripe, 0, i);
    REQUIRE(c);
    REQUIRE(evaluate(stripe, 0, *c) == i);
    REQUIRE(seen.insert({(*c)[In::Reg], (*c)[In::Lane], (*c)[In::Warp], (*c)[In::Chunk]}).second);
  }
  CHECK_FALSE(invert(stripe, 0, 768));
  CHECK_FALSE(invert(stripe, 0, -1));
  // Without an end (chunks known at run time) every position has a place.
  auto open = stripe_layout("d", {.axis = 0, .vec = 4, .threads = 64, .chunks = 0}).digits;
  CHECK((*invert(open, 0, 256 * 1000 + 5))[In::Chunk] == 1000);
}

TEST_CASE("a layout is injective where no two coordinates meet", "[ir]") {
  CHECK(is_injective(stripe));
  CHECK(is_injective(
      std::vector<Digit>{{In::Reg, 2, 0, 1}, {In::Lane, 32, 0, 2}, {In::Reg, 4, 1, 1}}));
  CHECK_FALSE(is_injective(std::vector<Digit>{{In::Reg, 4, 0, 1}, {In::Lane, 32, 0, 2}}));
  CHECK_FALSE(is_injective(std::vector<Digit>{{In::Reg, 4, 0, 1}, {In::Lane, 4, 0, 1}}));
  CHECK(is_injective(std::vector<Digit>{{In::Reg, 4, 0, 1}, {In::Lane, 1, 0, 1}}));
}

TEST_CASE("a layout that is injective inverts to where it came from", "[ir]") {
  const std::vector<Digit> tile = {
      {In::Reg, 2, 1, 1}, {In::Lane, 4, 1, 2}, {In::Lane, 8, 0, 1}, {In::Reg, 2, 0, 8}};
  REQUIRE(is_injective(tile));
  for (std::int64_t reg = 0; reg < 4; ++reg)
    for (std::int64_t lane = 0; lane < 32; ++lane) {
      Coordinate c = at(reg, lane, 0, 0);
      auto row = invert(tile, 0, evaluate(tile, 0, c)), col = invert(tile, 1, evaluate(tile, 1, c));
      REQUIRE((row && col));
      CHECK((*row)[In::Reg] + (*col)[In::Reg] == reg);
      CHECK((*row)[In::Lane] + (*col)[In::Lane] == lane);
    }
}

TEST_CASE("a stripe's shape is read back from its layout", "[ir]") {
  const StripeShape shapes[] = {
      {.axis = 0, .vec = 1, .threads = 32, .chunks = 0},
      {.axis = 2, .vec = 8, .threads = 256, .chunks = 4},
      {.axis = 0, .vec = 4, .threads = 64, .chunks = 2, .over_grid = true},
      {.axis = 0, .vec = 2, .threads = 16, .chunks = 1}};
  for (const StripeShape& s : shapes) {
    Layout l = stripe_layout("l", s);
    StripeShape back = stripe_shape(l);
    CHECK(back.axis == s.axis);
    CHECK(back.vec == s.vec);
    CHECK(back.threads == s.threads);
    CHECK(back.chunks == s.chunks);
    CHECK(back.over_grid == s.over_grid);
    CHECK(is_injective(l.digits));
    CHECK(stripe_layout("l", back) == l);
  }
}

TEST_CASE("coordinates have names", "[ir]") {
  for (int i = 0; i < 10; ++i) CHECK(parse_in(name(static_cast<In>(i))) == static_cast<In>(i));
  CHECK_FALSE(parse_in("thumb"));
}
