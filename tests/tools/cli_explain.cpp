// SPDX-License-Identifier: Apache-2.0
// The cadence in explain: text, JSON and drawing, with or without an assembler.
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "tests/support/xml.h"
#include "tests/tools/cli.h"

using namespace barline::test;
using nlohmann::json;

namespace {

const std::string qkv =
    "version: 1\nassembler: ptxas 0.0  # to be pinned\ntargets: [sm_90a]\nkernels:\n"
    "  qkv_w4a16:\n    types: [f16]\n    schedules: {s: {}, sp: {}}\n"
    "    shapes: {sim: {M: 70, K: 256, N_q: 40, N_k: 24, N_v: 17}}\n";

/// Exit 3: no ptxas here; what needs none is shown all the same.
bool done(const Ran& r) { return r.code == 0 || r.code == 3; }

}  // namespace

TEST_CASE("explain tells the cadence and draws it") {
  Cli cli;
  cli.file("k.yaml", qkv);
  Ran r = cli.run("explain qkv_w4a16@sp --registry k.yaml --cadence-svg sp.svg");
  INFO(r.err);
  CHECK(done(r));
  CHECK(has(r.out, "== cadence"));
  CHECK(has(r.out, "3 barriers a step; slots: x (1 copy), w (2 copies)"));
  CHECK(has(r.out, "needed; without it: "));
  CHECK(!has(r.out, "NEEDLESS"));
  std::string svg = slurp(cli.path("sp.svg"));
  CHECK(has(svg, "qkv_w4a16.f16@sp"));
  CHECK(xml_error(svg) == "");
}

TEST_CASE("explain --json tells barriers a step, the timeline and which barriers are needed") {
  Cli cli;
  cli.file("k.yaml", qkv);
  Ran r = cli.run("explain qkv_w4a16@s --registry k.yaml --json");
  CHECK(done(r));
  json j = json::parse(r.out);
  REQUIRE(j["cadence"].size() == 1);
  CHECK(j["cadence"][0]["barriers_per_step"] == 6);
  CHECK(j["cadence"][0]["timeline"][0]["row"] == "x");
  REQUIRE(j["barriers"].size() == 6);
  for (const json& b : j["barriers"]) {
    CHECK(b["need"] == "needed");
    CHECK(b["witness"] != "");
  }
}

TEST_CASE("a drawing that cannot be put there is refused before any work") {
  Cli cli;
  cli.file("k.yaml", qkv);
  Ran r = cli.run("explain qkv_w4a16@s --registry k.yaml --cadence-svg no/such/folder.svg");
  CHECK(r.code == 2);
  CHECK(r.out == "");
  CHECK(has(r.err, "no/such"));
}
