// SPDX-License-Identifier: Apache-2.0
// The cadence report: what it reads off a loop, what it draws, and which barriers it certifies.
#include <algorithm>
#include <catch2/catch.hpp>
#include <fstream>
#include <sstream>

#include "ir/parse.h"
#include "ir/passes/place_syncs.h"
#include "proof_support.h"
#include "tests/support/xml.h"
#include "verify/cadence/picture.h"
#include "verify/cadence/render.h"

using namespace barline;
using namespace barline::verify;
using barline::test::xml_error;
using Catch::Contains;

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

CadenceLoop loop_of(const ir::Kernel& k) {
  Cadence c = cadence_of(k);
  REQUIRE(c.loops.size() == 1);
  return c.loops[0];
}

std::vector<std::string> orders_alone(const CadenceLoop& loop, int barrier) {
  std::vector<std::string> out;
  for (const auto& orders : loop.barriers[barrier].alone) out.push_back(hazard_text(loop, orders));
  return out;
}

/// The cells of a row, "|" between columns.
std::string row(const CadenceLoop& loop, const std::string& label) {
  std::string out;
  for (const Picture::Row& r : picture_of(loop).rows) {
    if (r.label != label) continue;
    for (const auto& cell : r.cells) {
      if (&cell != &r.cells[0]) out += "|";
      for (const Picture::Mark& m : cell) out += (&m == &cell[0] ? "" : ",") + m.text;
    }
    return out;
  }
  return "no such row";
}

int count(const std::vector<BarrierNeed>& needs, BarrierNeed::Kind kind) {
  return static_cast<int>(
      std::count_if(needs.begin(), needs.end(), [&](auto& n) { return n.kind == kind; }));
}

std::vector<BarrierNeed> certified(const ir::Kernel& k) { return certify_barriers(k, prove(k)); }

/// 64 threads, a slot w of 3 copies, `uses` as the copy that is read and the one that is written.
ir::Kernel rotating(const std::string& read, const std::string& write) {
  return verify::test::block_kernel(
      "  %zero = const {value = 0} : s32\n  %one = const {value = 1} : s32\n"
      "  %n1 = const {value = 9} : s32\n  %last = const {value = 63} : s32\n"
      "  %two = const {value = 2} : s32\n  %m = sub %last, %t : s32\n"
      "  for %zero, %n1, %one (%i: s32) {\n"
      "    %i1 = add %i, %one : s32\n    %twice = mul %i, %two : s32\n"
      "    %v = load %x, %t : f32\n"
      "    %to = slot_at %w, " +
          write +
          " : ptr<f32, shared>\n    store %to, %t, %v\n"
          "    barrier\n"
          "    %from = slot_at %w, " +
          read +
          " : ptr<f32, shared>\n    %r = load %from, %m : f32\n"
          "    store %y, %t, %r\n    yield\n  }\n",
      "slot %w: f32[64] x 3\n");
}

}  // namespace

TEST_CASE("S + 1/2P: a step is three epochs, its slots come round after two steps") {
  CadenceLoop loop = loop_of(placed("half_pipelined"));
  REQUIRE(loop.epochs() == 3);
  CHECK(loop.period == 2);
  CHECK(row(loop, "x") == "read gx||write gx|read gx||write gx");
  CHECK(row(loop, "w[i]") == "read gq|write gv|read gv|write gk|read gk|write gq +1");
  CHECK(row(loop, "w[i+1]") == "write gk|read gk|write gq +1|read gq|write gv|read gv");
  std::vector<std::string> want{"RAW w[i+1]: write gk (epoch 1) -> read gk (epoch 2)",
                                "WAR w[i]: read gq (epoch 1) -> write gv (epoch 2)"};
  CHECK(orders_alone(loop, 1) == want);
}

TEST_CASE("Design S: what stands before the first barrier belongs to the epoch before") {
  CadenceLoop loop = loop_of(placed("design_s"));
  REQUIRE(loop.epochs() == 6);
  CHECK(barriers_per_step(placed("design_s")) == 6);
  CHECK(loop.period == 1);
  CHECK(row(loop, "w") == "write gq|read gq|write gk|read gk|write gv|read gv");
  for (const CadenceBarrier& b : loop.barriers) CHECK(!b.alone.empty());
}

TEST_CASE("a ring: copies are in flight until a barrier has waited for their group") {
  ir::Kernel k = placed("copies_ring");
  CadenceLoop loop = loop_of(k);
  REQUIRE(loop.epochs() == 1);
  REQUIRE(loop.barriers[0].pending == 2);
  INFO(cadence_text(cadence_of(k)));
  REQUIRE(loop.slots.size() == 1);
  CHECK(loop.slots[0].copies == 4);
  auto text = cadence_text(cadence_of(k));
  CHECK_THAT(text, Contains("landed -> read"));
  CHECK_THAT(text, Contains("in flight"));
  CHECK_THAT(text, Contains("waits for all copies but those of the 2 latest groups"));
}

TEST_CASE("a barrier that waits for too little leaves a copy open") {
  ir::Kernel k = placed("copies_ring");
  CHECK(loop_of(k).open.empty());
  ir::walk(k.body, [](ir::Operation& op) {
    if (op.is(ir::Op::Barrier)) op.set(ir::Key::Pending, 3);
  });
  CHECK(!loop_of(k).open.empty());
  CHECK_THAT(cadence_text(cadence_of(k)), Contains("NO BARRIER orders RAW"));
}

TEST_CASE("copies that cannot be told apart stand in a row of their own") {
  CadenceLoop loop = loop_of(rotating("%i", "%i1"));
  CHECK(loop.period == 3);
  CHECK(row(loop, "w[i]") == "read x|write x +2|");
  CHECK(row(loop, "w[?]") == "no such row");
  loop = loop_of(rotating("%i", "%twice"));  // other rates: the copies drift apart
  CHECK(loop.period == 1);
  CHECK_THAT(row(loop, "w[?]"), Contains("read x") && Contains("write x"));
  loop = loop_of(rotating("%i", "%t"));  // each thread its own
  CHECK_THAT(row(loop, "w[?]"), Contains("write x"));
}

TEST_CASE("a constant copy is named by its number") {
  CadenceLoop loop = loop_of(rotating("%one", "%one"));
  CHECK(loop.period == 1);
  CHECK_THAT(row(loop, "w[1]"), Contains("read x") && Contains("write x"));
  CHECK(row(loop, "w[0]") == "");
}

TEST_CASE("kernels without a barrier in a loop have no cadence") {
  Cadence c = cadence_of(placed("three_in_a_row"));
  CHECK(c.loops.empty());
  CHECK(cadence_text(c) == "");
  CHECK(barriers_per_step(placed("three_in_a_row")) == 0);
  CHECK(cadence_json(c).empty());
  CHECK(xml_error(cadence_svg(c)) == "");
}

TEST_CASE("of hand cadences exactly one barrier a step is certified needless") {
  for (auto [name, needed] : {std::pair{"design_s", 6}, {"half_pipelined", 3}}) {
    ir::Kernel k = read("verify/cadence/" + std::string(name) + "_by_hand.bir");
    CadenceLoop loop = loop_of(k);
    REQUIRE(loop.epochs() == needed + 1);
    std::vector<BarrierNeed> needs = certified(k);
    INFO(cadence_text(cadence_of(k), needs));
    std::vector<BarrierNeed> in_loop;
    for (const CadenceBarrier& b : loop.barriers) in_loop.push_back(needs[b.number]);
    CHECK(count(in_loop, BarrierNeed::Needed) >= needed);
    CHECK(count(needs, BarrierNeed::Needless) ==
          static_cast<int>(needs.size()) - ir::count_barriers(placed(name)));
    CHECK(count(needs, BarrierNeed::Open) == 0);
    CHECK_THAT(cadence_text(cadence_of(k), needs), Contains("NEEDLESS"));
  }
}

TEST_CASE("the barriers of computed cadences are all needed, with a witness each") {
  for (const char* name : {"design_s", "half_pipelined", "copies_ring", "copies_streams"}) {
    ir::Kernel k = placed(name);
    for (const BarrierNeed& need : certified(k)) {
      CHECK(need.kind == BarrierNeed::Needed);
      CHECK(need.why != "");
    }
  }
}

TEST_CASE("nothing is certified of a kernel that is not proved, or where no case comes") {
  ir::Kernel racy = placed("half_pipelined");
  ProofReport none = prove(racy);
  none.verdict = Verdict::Unknown;
  for (const BarrierNeed& need : certify_barriers(racy, none)) {
    CHECK(need.kind == BarrierNeed::Open);
    CHECK(need.why == "the kernel is not proved");
  }
  none.verdict = Verdict::Proved;
  none.reached.assign(none.reached.size(), false);
  for (const BarrierNeed& need : certify_barriers(racy, none))
    CHECK(need.why == "no replayed case comes to it");
}

TEST_CASE("drawings are well-formed XML, whatever the names") {
  for (const char* name : {"design_s", "half_pipelined", "copies_ring"}) {
    std::string svg = cadence_svg(cadence_of(placed(name)));
    CHECK(xml_error(svg) == "");
    CHECK_THAT(svg, Contains("class=\"barrier\""));
  }
  Cadence c = cadence_of(placed("design_s"));
  c.kernel = "a<b & \"c\"";
  CHECK(xml_error(cadence_svg(c)) == "");
  CHECK(xml_error("<a><b></a>") != "");
  CHECK(xml_error("<a>x & y</a>") != "");
  CHECK(xml_error("<a/><b/>") != "");
}

TEST_CASE("the JSON says what the text says") {
  ir::Kernel k = placed("half_pipelined");
  auto j = cadence_json(cadence_of(k), certified(k));
  REQUIRE(j.size() == 1);
  CHECK(j[0]["barriers_per_step"] == 3);
  CHECK(j[0]["period"] == 2);
  CHECK(j[0]["barriers"][0]["need"] == "needed");
  CHECK(j[0]["barriers"].size() == 3);
  CHECK(j[0]["timeline"][1]["row"] == "w[i]");
  CHECK(j[0]["timeline"][1]["epochs"][0][0] == "read gq");
}

TEST_CASE("every kernel of the corpus can be reported, racy ones too") {
  int loops = 0;
  for (const char* folder : {"/tests/corpus/safe", "/tests/corpus/racy"})
    for (const auto& file :
         std::filesystem::directory_iterator(std::string(BARLINE_SOURCE_DIR) + folder)) {
      INFO(file.path());
      ir::Kernel k = read(std::filesystem::relative(file.path(), BARLINE_SOURCE_DIR "/tests"));
      Cadence c = cadence_of(k);
      CHECK(xml_error(cadence_svg(c)) == "");
      CHECK(cadence_text(c).empty() == c.loops.empty());
      for (const CadenceLoop& loop : c.loops) CHECK(loop.epochs() >= 1);
      loops += static_cast<int>(c.loops.size());
    }
  CHECK(loops > 20);
}
