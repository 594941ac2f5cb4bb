// SPDX-License-Identifier: Apache-2.0
// Packed weights: every code has one place, and a lane's 16 bytes are its registers of a B
// fragment.
#include "ir/packing.h"

#include <catch2/catch.hpp>
#include <set>
#include <tuple>

#include "ir/fragment.h"

using namespace barline::ir;

namespace {

int some_code(const Packing& p, std::int64_t n, std::int64_t k) {
  int range = 2 * p.bias();
  return static_cast<int>((n * 37 + k * 11 + n * k) % range) - p.bias();
}

}  // namespace

TEST_CASE("a packed image gives back every code", "[ir][packing]") {
  for (Elem e : {Elem::S4, Elem::S8})
    for (int n : {1, 8, 16, 40, 43}) {
      Packing p{e};
      const int k = 128;
      Tensor words = pack(p, n, k, [&](auto i, auto j) { return some_code(p, i, j); });
      INFO(name(e) << " n = " << n);
      REQUIRE(words.shape[0] == (n + p.unit_n() - 1) / p.unit_n());
      REQUIRE(words.shape[1] == k / 64 * 128);
      for (int i = 0; i < words.shape[0] * p.unit_n(); ++i)
        for (int j = 0; j < k; ++j)
          REQUIRE(unpack(p, words, i, j) == (i < n ? some_code(p, i, j) : 0));
    }
}

TEST_CASE("codes fill the words of an image, each its own bits", "[ir][packing]") {
  for (Elem e : {Elem::S4, Elem::S8}) {
    Packing p{e};
    std::set<std::tuple<std::int64_t, std::int64_t, int>> places;
    for (int n = 0; n < 2 * p.unit_n(); ++n)
      for (int k = 0; k < 128; ++k) {
        PackedPlace at = place_of(p, n, k);
        places.insert({at.row, at.column, p.shift(at.element)});
      }
    CHECK(places.size() == std::size_t(2 * p.unit_n() * 128));
    CHECK(std::get<0>(*places.rbegin()) == 1);
    CHECK(std::get<1>(*places.rbegin()) == 255);
    CHECK(std::get<2>(*places.rbegin()) == 32 - bits(e));
  }
}

TEST_CASE("a lane's 16 bytes of a unit are its registers, in order", "[ir][packing]") {
  for (Elem e : {Elem::S4, Elem::S8}) {
    Packing p{e};
    const int axis_k = 0, axis_n = 1;
    BlockTile tile{.m = 16, .n = p.unit_n(), .k = Packing::unit_k};
    Layout b = fragment_b("b", *atom_of(Elem::F16), tile, axis_k, axis_n);
    REQUIRE(registers(b) == 4 * p.per_word());
    for (int lane = 0; lane < 32; ++lane)
      for (int reg = 0; reg < registers(b); ++reg) {
        PackedPlace at =
            place_of(p, position(b, axis_n, reg, lane), position(b, axis_k, reg, lane));
        CHECK(at.column == lane * 4 + reg / p.per_word());
        CHECK(at.element == reg % p.per_word());
      }
  }
}

TEST_CASE("nibbles stand so that one mask gives a pair of halves", "[ir][packing]") {
  const int bit[] = {0, 16, 4, 20, 8, 24, 12, 28};
  for (int e = 0; e < 8; ++e) CHECK(Packing{Elem::S4}.shift(e) == bit[e]);
  CHECK(code_of({Elem::S4}, 0x000f0000u, 1) == 7);
  CHECK(code_of({Elem::S4}, 0u, 1) == -8);
  CHECK(code_of({Elem::S8}, 0x0000ff00u, 1) == 127);
}
