// SPDX-License-Identifier: Apache-2.0
// The forms for continuous integration: worst first, escaped, and within what a forge shows. What
// each says of each fault is held by tests/tools/cli_gate_faults.cpp.
#include "verify/gate/gate_formats.h"

#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "tests/support/xml.h"
#include "verify/gate/gate_findings.h"
#include "verify/gate/registry_keys.h"

using namespace barline::verify;
using nlohmann::json;

namespace {

GateRow row(const std::string& kernel, const std::string& target, GateVerdict verdict,
            const std::string& reason, int line = 1) {
  GateRow r;
  r.measured.kernel = kernel;
  r.measured.target = target;
  r.measured.registers = 40;
  r.verdict = verdict;
  r.fails = verdict > GateVerdict::Improved;
  r.reason = reason;
  r.at = {.line = line, .column = 5};
  return r;
}

GateReport report_of(std::vector<GateRow> rows) {
  GateReport r;
  r.file = "k.yaml";
  r.assembler = "ptxas 13.0";
  for (const GateRow& x : rows) r.failures += x.fails;
  r.rows = std::move(rows);
  return r;
}

GateReport many(int count, GateVerdict verdict) {
  std::vector<GateRow> rows;
  for (int i = 0; i < count; ++i)
    rows.push_back(row(fmt::format("k{}", i), "sm_80", verdict, "registers 41 > 40", i + 1));
  return report_of(std::move(rows));
}

int count(const std::string& text, const std::string& part) {
  int n = 0;
  for (std::size_t at = 0; (at = text.find(part, at)) != std::string::npos; at += part.size()) ++n;
  return n;
}

}  // namespace

TEST_CASE("findings are worst first, one a config, reasons with the targets that share them") {
  auto list = findings(report_of({row("a", "sm_80", GateVerdict::Improved, "registers 1 < 2", 3),
                                  row("a", "sm_86", GateVerdict::Improved, "registers 1 < 2", 4),
                                  row("b", "sm_80", GateVerdict::Worse, "smem 2 > 1", 5),
                                  row("b", "sm_86", GateVerdict::Missing, "it does not compile", 6),
                                  row("c", "sm_80", GateVerdict::Ok, "", 7)}));
  REQUIRE(list.size() == 2);
  CHECK(list[0].title() == "MISSING b");
  CHECK(list[0].reason == "smem 2 > 1 on sm_80; it does not compile on sm_86");
  CHECK(list[0].at.line == 6);
  CHECK(list[1].title() == "IMPROVED a");
  CHECK(list[1].reason == "registers 1 < 2 on sm_80, sm_86");
  CHECK_FALSE(list[1].fails);
}

TEST_CASE("rows that only repeat the report's problem are no findings of their own") {
  GateReport r = many(3, GateVerdict::Assembler);
  r.problem = {GateVerdict::Assembler, {.line = 2, .column = 12}, "another one"};
  REQUIRE(findings(r).size() == 1);
  CHECK(findings(r)[0].title() == "ASSEMBLER");
}

TEST_CASE("github shows ten errors and ten warnings, the tenth says what is left") {
  std::string ten = to_github(many(10, GateVerdict::Worse));
  CHECK(count(ten, "::error ") == 10);
  CHECK(ten.find("more") == std::string::npos);
  std::string all = to_github(many(25, GateVerdict::Worse));
  CHECK(count(all, "::error ") == 10);
  CHECK(all.find("::error file=k.yaml,line=10,col=5,title=16 more::WORSE k9 and 15 more are not "
                 "shown here; the step summary has all\n") != std::string::npos);
  std::string warnings = to_github(many(25, GateVerdict::Improved));
  CHECK(count(warnings, "::warning ") == 10);
  CHECK(count(warnings, "::error ") == 0);
}

TEST_CASE("github's workflow commands are escaped") {
  GateReport r = report_of({row("a", "sm_80", GateVerdict::Missing, "50 %\nof: it, say")});
  r.file = "a,b:c.yaml";
  CHECK(to_github(r).rfind("::error file=a%2Cb%3Ac.yaml,line=1,col=5,title=MISSING a::50 %25%0Aof: "
                           "it, say on sm_80; ",
                           0) == 0);
}

TEST_CASE("junit is well-formed, counts, and holds what was refused as an error") {
  GateReport r = report_of(
      {row("a", "sm_80", GateVerdict::Worse, "registers 41 > 40 & \"<more>\"\x01"),
       row("b", "sm_80", GateVerdict::Missing, "none"), row("c", "sm_80", GateVerdict::Ok, "")});
  r.problem = {GateVerdict::Assembler, {}, "another one"};
  std::string text = to_junit(r);
  std::size_t prolog = text.find("?>\n") + 3;
  CHECK(barline::test::xml_error(text.substr(prolog, text.size() - prolog - 1)) == "");
  CHECK(text.find("tests=\"4\" failures=\"2\" errors=\"1\"") != std::string::npos);
  CHECK(count(text, "<failure ") == 2);
  CHECK(count(text, "<error ") == 1);
  CHECK(text.find("registers 41 &gt; 40 &amp; &quot;&lt;more&gt;&quot; ") != std::string::npos);
}

TEST_CASE("sarif has the fields that 2.1.0 requires, and rules for its results") {
  GateReport r = report_of({row("a", "sm_80", GateVerdict::Improved, "registers 1 < 2", 3),
                            row("b", "sm_80", GateVerdict::NoPtxas, "not measured", 4)});
  r.file = "sub dir/k.yaml";
  json doc = json::parse(to_sarif(r));
  CHECK(doc["version"] == "2.1.0");
  REQUIRE(doc["runs"].size() == 1);
  const json& run = doc["runs"][0];
  const json& rules = run["tool"]["driver"]["rules"];
  CHECK(run["tool"]["driver"]["name"] == "barline gate");
  REQUIRE(run["results"].size() == 2);
  for (const json& result : run["results"]) {
    CHECK(rules.at(result["ruleIndex"].get<std::size_t>())["id"] == result["ruleId"]);
    CHECK_FALSE(result["message"]["text"].get<std::string>().empty());
    CHECK(result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] ==
          "sub%20dir/k.yaml");
  }
  CHECK(run["results"][0]["ruleId"] == "no-ptxas");
  CHECK(run["results"][0]["level"] == "error");
  CHECK(run["results"][1]["level"] == "warning");
  json region = {{"startLine", 3}, {"startColumn", 5}};
  CHECK(run["results"][1]["locations"][0]["physicalLocation"]["region"] == region);
}

TEST_CASE("markdown stays below what a step summary takes, and says what is left out") {
  std::string small = to_markdown(many(2, GateVerdict::Worse));
  CHECK(small.find("| WORSE | k0 | registers 41 > 40 on sm_80 | k.yaml:1:5 |") !=
        std::string::npos);
  std::string huge = to_markdown(many(40000, GateVerdict::Worse));
  CHECK(huge.size() < (1 << 20));
  CHECK(huge.find("more") != std::string::npos);
  GateReport r = report_of({row("a", "sm_80", GateVerdict::Missing, "x | y\nz")});
  CHECK(to_markdown(r).find("| x \\| y z on sm_80 |") != std::string::npos);
}

TEST_CASE("docs/gate.md names every verdict and every budget") {
  std::ifstream in(BARLINE_SOURCE_DIR "/docs/gate.md");
  const std::string page{std::istreambuf_iterator<char>(in), {}};
  for (int i = 0; i < gate_verdict_count; ++i) {
    INFO(name(static_cast<GateVerdict>(i)));
    CHECK(count(page, fmt::format("| {} | ", name(static_cast<GateVerdict>(i)))) == 1);
  }
  for (Section section : {Section::Row, Section::Source}) {
    for (const std::string& key : keys_of(section)) {
      INFO(key);
      CHECK(page.find(key) != std::string::npos);
    }
  }
}
