// SPDX-License-Identifier: Apache-2.0
// Blocks that meet through generation counters, in every interleaving of three launches: right as
// dsl/generations.h has it, and each way of being wrong is found.
#include "verify/generation_model.h"

#include <fmt/format.h>
#include <catch2/catch.hpp>

using namespace barline::verify;
using Catch::Contains;

namespace {

std::string text(const WalkVerdict& v) {
  std::string all = v.fault;
  for (const std::string& s : v.steps) all += "\n  " + s;
  return all;
}

/// The fault of the protocol with one thing changed; without and with a producer.
template <class Change>
std::string fault_with(Change change, bool producer) {
  GenerationProtocol p;
  p.producer = producer;
  change(p);
  return explore(p).fault;
}

}  // namespace

TEST_CASE("blocks meet in every launch, also behind launches that were cut short") {
  std::size_t states = 0;
  for (bool producer : {false, true})
    for (int blocks = 1; blocks <= 3; ++blocks)
      for (int cuts = 0; cuts < 8; ++cuts) {
        GenerationProtocol p{.blocks = blocks,
                             .cut_short = {(cuts & 1) != 0, (cuts & 2) != 0, (cuts & 4) != 0},
                             .producer = producer};
        const WalkVerdict v = explore(p);
        INFO(blocks << " blocks, cuts " << cuts << ", producer " << producer << "\n" << text(v));
        CHECK(v.fault == "");
        states += v.states;
      }
  CHECK(states > 10000);
}

TEST_CASE("a barrier of all blocks holds in every launch, and each way of being wrong is found") {
  std::size_t states = 0;
  for (bool producer : {false, true})
    for (int cuts = 0; cuts < 8; ++cuts) {
      GenerationProtocol p{.cut_short = {(cuts & 1) != 0, (cuts & 2) != 0, (cuts & 4) != 0},
                           .meets_all = true,
                           .producer = producer};
      const WalkVerdict v = explore(p);
      INFO("cuts " << cuts << ", producer " << producer << "\n" << text(v));
      CHECK(v.fault == "");
      states += v.states;
    }
  CHECK(states > 10000);
  auto fault = [](auto change) {
    return fault_with(
        [&](auto& p) {
          p.meets_all = true;
          change(p);
        },
        false);
  };
  CHECK_THAT(fault([](auto& p) { p.release = false; }), Contains("a part is gathered"));
  CHECK_THAT(fault([](auto& p) { p.acquire = false; }), Contains("a part is gathered"));
  CHECK_THAT(fault([](auto& p) { p.last_at = -1; }), Contains("a part is gathered"));
  CHECK_THAT(fault([](auto& p) { p.last_at = 1; }), Contains("deadlock"));
  CHECK_THAT(fault([](auto& p) { p.lift = false; }), Contains("deadlock"));
}

TEST_CASE("an arrival that does not release, or does not acquire, orders nothing") {
  for (bool producer : {false, true}) {
    CHECK_THAT(fault_with([](auto& p) { p.release = false; }, producer),
               Contains("a part is gathered"));
    CHECK_THAT(fault_with([](auto& p) { p.acquire = false; }, producer),
               Contains("a part is gathered"));
  }
}

TEST_CASE("an election off by one elects too early or never") {
  CHECK_THAT(fault_with([](auto& p) { p.last_at = -1; }, false), Contains("a part is gathered"));
  CHECK_THAT(fault_with([](auto& p) { p.last_at = 1; }, false), Contains("nobody gathered"));
}

TEST_CASE("a word of arrivals that is not lifted counts two launches as one") {
  auto unlifted = [](auto& p) { p.lift = false; };
  CHECK_THAT(fault_with(unlifted, false), Contains("nobody gathered"));
  CHECK_THAT(fault_with(
                 [](auto& p) {
                   p.cut_short = {true, false};
                   p.lifts_before = false;
                 },
                 false),
             Contains("nobody gathered") || Contains("a part is gathered"));
}

TEST_CASE("a flag that is relaxed, not waited for or of the launch before orders nothing") {
  for (bool GenerationProtocol::*field :
       {&GenerationProtocol::flag_release, &GenerationProtocol::flag_acquire,
        &GenerationProtocol::waits})
    CHECK_THAT(fault_with([&](auto& p) { p.*field = false; }, true), Contains("x is read"));
  CHECK_THAT(fault_with([](auto& p) { p.waits_for = -1; }, true), Contains("x is read"));
  CHECK_THAT(fault_with([](auto& p) { p.waits_for = 1; }, true), Contains("deadlock"));
}

TEST_CASE("a launch that a block never started leaves generations apart") {
  const std::string fault = fault_with(
      [](auto& p) {
        p.cut_short = {true, false};
        p.starts_late = true;
      },
      false);
  CHECK_THAT(fault, Contains("nobody gathered") || Contains("a part is gathered"));
}

TEST_CASE("the fewest steps that lead to a fault of the counters are told") {
  GenerationProtocol p{.blocks = 2, .cut_short = {false}};
  p.last_at = -1;
  const WalkVerdict v = explore(p);
  REQUIRE(v.steps.size() == 5);
  CHECK(v.steps[0] == "block 0 starts");
  CHECK(v.steps[4] == "block 0 gathers");
}
