// SPDX-License-Identifier: Apache-2.0
// demo: one table over all judges, one verdict, and what fails named below it.
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "tests/tools/cli.h"

using barline::test::Cli;
using barline::test::has;
using barline::test::Ran;
using nlohmann::json;

namespace {

const std::string two_kernels =
    "version: 1\nassembler: ptxas 0.0\ntargets: [sm_80, sm_90a]\nkernels:\n"
    "  vector_add:\n    types: [f32]\n    schedules:\n      flat256:\n"
    "    shapes: {sim: {n: 1000}}\n"
    "  row_argmax:\n    types: [f16]\n    schedules:\n      row256:\n"
    "    shapes: {sim: {rows: 2, d: 300}}\n";

std::string last_line(std::string text) {
  if (!text.empty()) text.pop_back();
  return text.substr(text.rfind('\n') + 1);
}

}  // namespace

TEST_CASE("demo passes with pinned budgets and fails with one that is too small", "[ptxas]") {
  Cli cli;
  cli.file("k.yaml", two_kernels);
  Ran unpinned = cli.run("demo --registry k.yaml");
  CHECK(unpinned.code == 1);
  CHECK(has(last_line(unpinned.out), "FAIL: 0 of 2 configs hold"));
  REQUIRE(cli.run("gate --registry k.yaml --update").code == 0);
  Ran pinned = cli.run("demo --registry k.yaml");
  CHECK(pinned.code == 0);
  CHECK(has(last_line(pinned.out), "PASS: 2 of 2 configs hold; ptxas "));
  CHECK(has(pinned.out, "row_argmax.f16@row256"));
  CHECK(has(pinned.out, "CHECKED"));

  std::string text = barline::test::slurp(cli.path("k.yaml"));
  std::size_t at = text.find("registers: ") + 11;
  cli.file("k.yaml", text.substr(0, at) + "1" + text.substr(text.find_first_of(",}", at)));
  Ran over = cli.run("demo --registry k.yaml --json");
  CHECK(over.code == 1);
  json doc = json::parse(over.out);
  CHECK(doc["schema"] == "barline.demo/1");
  CHECK(doc["verdict"] == "FAIL");
  CHECK(doc["results"][0]["verdict"] == "FAIL");
  CHECK(doc["results"][0]["gate"] == "WORSE");
  CHECK(doc["results"][1]["verdict"] == "PASS");
  CHECK(has(cli.run("demo --registry k.yaml").out,
            "vector_add.f32@flat256 on sm_80: WORSE registers"));
}

TEST_CASE("demo without ptxas still proves and simulates, and is incomplete") {
  Cli cli;
  cli.file("k.yaml", two_kernels);
  Ran r = cli.run("demo --registry k.yaml --ptxas ./absent");
  CHECK(r.code == 3);
  CHECK(has(r.out, "NO PTXAS"));
  CHECK(has(r.out, "PROVED"));
  CHECK(has(r.out, "CHECKED"));
  CHECK(has(last_line(r.out), "INCOMPLETE: 2 of 2 configs hold; NO PTXAS"));
}
