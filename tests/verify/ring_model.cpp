// SPDX-License-Identifier: Apache-2.0
// The ring behind gates in every interleaving: right as split_roles writes it, and each way of
// being off by one is found.
#include <fmt/format.h>
#include <catch2/catch.hpp>

#include "verify/ring_model.h"

using namespace barline::verify;

namespace {

std::string text(const WalkVerdict& v) {
  std::string all = v.fault;
  for (const std::string& s : v.steps) all += "\n  " + s;
  return all;
}

RingProtocol ring(int slots, int readers, int uses, int lag = 0) {
  RingProtocol p;
  p.slots = slots, p.readers = p.arrivals = readers, p.uses = uses, p.lag = lag;
  return p;
}

/// The fault of a ring of three slots with one thing changed.
std::string fault_with(int RingProtocol::*field, int value, int lag = 0) {
  RingProtocol p = ring(3, 2, 9, lag);
  p.*field = value;
  return explore(p).fault;
}

}  // namespace

TEST_CASE("a ring behind gates neither hangs nor overwrites, however its agents take turns") {
  std::size_t states = 0;
  for (int slots = 1; slots <= 4; ++slots)
    for (int readers = 1; readers <= 2; ++readers)
      for (int lag = 0; lag < slots && lag <= 1; ++lag)
        for (int uses : {1, slots, slots + 1, 3 * slots}) {
          WalkVerdict v = explore(ring(slots, readers, uses, lag));
          INFO(slots << " slots, " << readers << " readers, " << uses << " uses, lag " << lag
                     << "\n"
                     << text(v));
          CHECK(v.fault == "");
          states += v.states;
        }
  CHECK(states > 10000);
}

TEST_CASE("uses are counted through tiles, at whose ends readers release all") {
  for (int tile : {1, 2, 3, 5}) {
    RingProtocol p = ring(3, 2, 9, 1);
    p.tile = tile;
    WalkVerdict v = explore(p);
    INFO("tiles of " << tile << "\n" << text(v));
    CHECK(v.fault == "");
  }
}

TEST_CASE("three readers and a single slot are right, too") {
  CHECK(explore(ring(1, 3, 3)).fault == "");
  CHECK(explore(ring(2, 3, 6)).fault == "");
  CHECK(explore(ring(2, 3, 6, 1)).fault == "");
}

TEST_CASE("each way of being off by one is found in the ring's protocol") {
  using Catch::Contains;
  for (int lag : {0, 1}) {
    INFO("lag " << lag);
    CHECK_THAT(fault_with(&RingProtocol::empty_phase, 0, lag), Contains("deadlock"));
    CHECK_THAT(fault_with(&RingProtocol::empty_phase, -2, lag),
               Contains("deadlock") || Contains("deadlock") || Contains("lapped"));
    CHECK_THAT(fault_with(&RingProtocol::full_phase, 1, lag), Contains("passes in phase 0"));
    CHECK_THAT(fault_with(&RingProtocol::full_phase, -1, lag), Contains("reads what use -1 left"));
    CHECK_THAT(fault_with(&RingProtocol::released, 1, lag),
               Contains("deadlock") || Contains("lapped"));
    CHECK_THAT(fault_with(&RingProtocol::released, -1, lag),
               Contains("deadlock") || Contains("lapped"));
    CHECK_THAT(fault_with(&RingProtocol::announced, 3, lag), Contains("deadlock"));
    CHECK_THAT(fault_with(&RingProtocol::announced, 1, lag),
               Contains("more arrivals or bytes") || Contains("left"));
    CHECK_THAT(fault_with(&RingProtocol::arrivals, 1, lag), Contains("overwrites"));
    CHECK_THAT(fault_with(&RingProtocol::arrivals, 3, lag), Contains("deadlock"));
  }
}

TEST_CASE("a slot must come back before all slots are held") {
  CHECK(explore(ring(3, 2, 9, 2)).fault == "");
  CHECK(explore(ring(3, 2, 9, 3)).fault == "deadlock: nobody can go on");
  CHECK(explore(ring(1, 1, 3, 1)).fault == "deadlock: nobody can go on");
}

TEST_CASE("the steps that lead to a fault are told, the fewest") {
  RingProtocol p = ring(2, 1, 4);
  p.empty_phase = 0;
  WalkVerdict v = explore(p);
  CHECK(v.fault == "deadlock: nobody can go on");
  CHECK(v.steps.empty());
  p = ring(2, 1, 4);
  p.full_phase = -1;
  v = explore(p);
  REQUIRE(v.steps.size() == 1);
  CHECK(v.steps[0] == "reader 1 awaits full of use 0");
}
