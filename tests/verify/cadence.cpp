// SPDX-License-Identifier: Apache-2.0
// Barriers a step under the schedules of house and hand: what place_syncs computes is proved, each
// barrier of it needed; of the cadences written by hand one barrier a step is proved needless.
#include <catch2/catch.hpp>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "ir/parse.h"
#include "ir/passes/place_syncs.h"
#include "verify/proof/prove.h"

using namespace barline;
using namespace barline::verify;

namespace {

ir::Kernel read(const std::string& file) {
  std::string path = std::string(BARLINE_SOURCE_DIR) + "/tests/" + file;
  std::ifstream in(path);
  REQUIRE(in);
  std::stringstream text;
  text << in.rdbuf();
  return ir::parse(text.str(), file);
}

ir::Kernel placed(const std::string& name) {
  ir::Kernel k = read("ir/passes/place_syncs/" + name + ".bir");
  ir::place_syncs(k);
  return k;
}

int redundant(const ProofReport& r) {
  return static_cast<int>(
      std::count_if(r.barriers.begin(), r.barriers.end(), [](auto& b) { return b.redundant; }));
}

/// Takes out the first barrier that the proof calls needless.
bool drop_one(ir::Region& region, const ProofReport& r) {
  auto needless = std::find_if(r.barriers.begin(), r.barriers.end(),
                               [](const BarrierUse& b) { return b.redundant; });
  auto is = [&](const ir::Operation& op) {
    return op.is(ir::Op::Barrier) && op.loc == needless->op.loc;
  };
  if (auto at = std::find_if(region.ops.begin(), region.ops.end(), is); at != region.ops.end()) {
    region.ops.erase(at);
    return true;
  }
  return std::any_of(region.ops.begin(), region.ops.end(), [&](ir::Operation& op) {
    return std::any_of(op.regions.begin(), op.regions.end(),
                       [&](ir::Region& inner) { return drop_one(inner, r); });
  });
}

}  // namespace

TEST_CASE("the computed cadences are proved, and no barrier of them is needless") {
  const std::pair<const char*, int> kernels[] = {
      {"design_s", 6},           {"half_pipelined", 3},     {"copies_ring", 1},
      {"copies_ring_after", 1},  {"copies_ring_of_two", 1}, {"copies_streams", 1},
      {"copies_own_element", 1}, {"copies_single", 2},      {"copies_two_groups", 1}};
  for (auto [name, barriers] : kernels) {
    ProofReport r = prove(placed(name));
    INFO(name << "\n" << to_string(r));
    CHECK(r.verdict == Verdict::Proved);
    CHECK(r.barriers.size() == static_cast<std::size_t>(barriers));
    CHECK(redundant(r) == 0);
    bool loop =
        std::string(name) != "copies_own_element" && name != std::string("copies_two_groups");
    CHECK((r.all_trips || !loop));
  }
}

TEST_CASE("a ring waits for as little as is safe") {
  for (auto [name, pending] : {std::pair{"copies_ring", 2},
                               {"copies_ring_after", 1},
                               {"copies_ring_of_two", 0},
                               {"copies_streams", 1}}) {
    ir::Kernel k = placed(name);
    ir::walk(k.body, [&, pending = pending](ir::Operation& op) {
      if (!op.is(ir::Op::Barrier)) return;
      CHECK(op.attr(ir::Key::Pending, -1) == pending);
      op.set(ir::Key::Pending, op.attr(ir::Key::Pending) + 1);
    });
    CHECK(prove(k).verdict == Verdict::Refuted);
  }
}

TEST_CASE("of the barriers written by hand one a step is needless") {
  for (auto [name, barriers] : {std::pair{"design_s", 7}, {"half_pipelined", 5}}) {
    ir::Kernel k = read("verify/cadence/" + std::string(name) + "_by_hand.bir");
    ProofReport r = prove(k);
    INFO(name << "\n" << to_string(r));
    CHECK(r.verdict == Verdict::Proved);
    CHECK(r.barriers.size() == static_cast<std::size_t>(barriers));
    REQUIRE(redundant(r) >= 1);
    int dropped = 0;
    for (; redundant(r) > 0; r = prove(k), ++dropped) REQUIRE(drop_one(k.body, r));
    INFO(to_string(r));
    CHECK(r.verdict == Verdict::Proved);
    CHECK(ir::count_barriers(k) == ir::count_barriers(placed(name)));
    CHECK(dropped == barriers - ir::count_barriers(k));
  }
}
