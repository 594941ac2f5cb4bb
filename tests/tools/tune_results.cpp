// SPDX-License-Identifier: Apache-2.0
// `barline tune --from`: which recorded rows become tuned ones, and what is refused.
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "tests/tools/cli.h"

using namespace barline::test;
using nlohmann::json;

namespace {

json peer_row(const std::string& name, double us) {
  return {{"name", name}, {"M", 16},         {"N", 6144},
          {"K", 4096},    {"mode", "graph"}, {"segments", {{"q", 4096}, {"k", 1024}, {"v", 1024}}},
          {"us", us}};
}

json with(json row, const char* key, json value) {
  row[key] = std::move(value);
  return row;
}

std::string peers(const json& rows) {
  json doc = {{"schema", "barline.peers/1"},
              {"device", "NVIDIA H200"},
              {"driver", "580"},
              {"date", "2026-01-02"},
              {"rows", rows}};
  return doc.dump();
}

Ran tune_from(const std::string& text) {
  Cli cli;
  return cli.run("tune --from " + cli.file("results.json", text));
}

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t n = 0;
  for (std::size_t at = text.find(part); at != text.npos; at = text.find(part, at + 1)) ++n;
  return n;
}

const std::string s = "barline qkv_w4a16.f16@s", sp = "barline qkv_w4a16.f16@sp";

}  // namespace

TEST_CASE("the fastest plain launch of a peers' record becomes the tuned row of its sizes") {
  Ran ran = tune_from(peers({peer_row("torch F.linear f16", 1.0), peer_row(s, 9.0),
                             with(peer_row(sp, 7.0), "us_min", 6.5), peer_row(s, 8.0)}));
  CHECK(ran.code == 0);
  CHECK(count(ran.out, "- kernel:") == 1);
  CHECK(has(ran.out,
            "kernel: qkv_w4a16\n    type: f16\n    target: sm_90a\n    sizes: {K: 4096, "
            "M: 16, N_k: 1024, N_q: 4096, N_v: 1024}\n    us: 7.000\n    us_range: "
            "[6.500, 7.000]\n"));
  CHECK(has(ran.out, "name: \"sp\""));
}

TEST_CASE("three calls, dependent launches, the power limit and refusals are no tuned rows") {
  Ran ran = tune_from(peers(
      {peer_row(s, 9.0), with(peer_row(sp + " as three calls", 1.0), "calls", 3),
       with(peer_row(sp, 1.0), "dependent", true), with(peer_row(sp, 1.0), "mode", "sustained"),
       with(peer_row(sp, 1.0), "refused", "wrong"), peer_row("barline qkv_w4a16.f16@gone", 1.0),
       peer_row("barline gone.f16@s", 1.0)}));
  CHECK(ran.code == 0);
  CHECK(count(ran.out, "- kernel:") == 1);
  CHECK(has(ran.out, "us: 9.000"));
}

TEST_CASE("sizes that the register has a name for have it; a burst counts; N is one axis of some") {
  json fused = with(with(peer_row(s, 9.0), "mode", "burst"), "M", 64);
  json square = {{"name", "barline matmul.f16@ring128x128"},
                 {"M", 4096},
                 {"N", 4096},
                 {"K", 4096},
                 {"mode", "burst"},
                 {"us", 3.0}};
  Ran ran = tune_from(peers({fused, square}));
  CHECK(has(ran.out, "shape: gqa64\n"));
  CHECK(has(ran.out, "shape: square\n    sizes: {K: 4096, M: 4096, N: 4096}\n"));
}

TEST_CASE("rows of barline bench are read as before") {
  json row = {{"kernel", "matmul.f16@ring128x128"},
              {"shape", "decode"},
              {"us", 4.0},
              {"sizes", "K=4096 M=16 N=4096"},
              {"verdict", "PASS"}};
  json doc = {{"schema", "barline.bench/1"}, {"driver", 13000}, {"rows", {row}}};
  Ran ran = tune_from(doc.dump());
  CHECK(ran.code == 0);
  CHECK(has(ran.out, "shape: decode\n    sizes: {K: 4096, M: 16, N: 4096}\n    us: 4.000\n"));
  doc["rows"][0]["verdict"] = "FAIL";
  CHECK(tune_from(doc.dump()).code == 2);
}

TEST_CASE("a record without a row to launch says so, and what to do") {
  json unsized = peer_row(s, 9.0);
  unsized.erase("segments");
  for (const std::string& text : {peers(json::array()), peers(json::array({unsized}))}) {
    Ran ran = tune_from(text);
    CHECK(ran.code == 2);
    CHECK(has(ran.err, "no row of a kernel, schedule and sizes that the register has; measure"));
  }
  Ran other = tune_from(R"({"schema": "other/1", "rows": []})");
  CHECK(other.code == 2);
  CHECK(
      has(other.err, "no results of barline bench; pass a file of --json-file or of bench/peers"));
  Ran malformed = tune_from(peers({peer_row(s, 9.0), with(peer_row(sp, 1.0), "us", "fast")}));
  CHECK(malformed.code == 2);
  CHECK(has(malformed.err, "a row has a field of another type"));
}

TEST_CASE(
    "bench/tuned names kernels and schedules of the register, as tune reads and writes them") {
  Cli cli;
  std::string tuned = slurp(BARLINE_SOURCE_DIR "/bench/tuned/h200.yaml");
  REQUIRE(count(tuned, "- kernel:") > 20);
  json row = with(peer_row(s, 9.0), "M", 3);
  std::string to = cli.file("h200.yaml", tuned);
  Ran ran =
      cli.run("tune --write h200.yaml --from " + cli.file("r.json", peers(json::array({row}))));
  CHECK(ran.code == 0);
  CHECK(count(slurp(to), "- kernel:") == count(tuned, "- kernel:") + 1);
}
