// SPDX-License-Identifier: Apache-2.0
// Two runs of the gate side by side.
#include "verify/gate/gate_changes.h"

#include <catch2/catch.hpp>

using namespace barline::verify;
using json = nlohmann::ordered_json;

namespace {

json row(const char* kernel, const char* target, int registers, int ctas = 4) {
  return {{"kernel", kernel},       {"schedule", "s"},   {"target", target},
          {"registers", registers}, {"spill_stores", 0}, {"ctas_per_sm", ctas}};
}

json report(std::vector<json> rows, const char* assembler = "ptxas 13.0") {
  return {{"schema", "barline.gate/1"}, {"assembler", assembler}, {"results", rows}};
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

std::string refusal(const json& before) {
  try {
    compare_reports(before, report({}), true);
  } catch (const BaselineError& e) {
    return e.what();
  }
  return "accepted";
}

}  // namespace

TEST_CASE("equal runs have no change") {
  json same = report({row("a", "sm_80", 40)});
  GateChanges c = compare_reports(same, same, true);
  CHECK(c.compared == 1);
  CHECK(c.changes.empty());
  CHECK(has(to_text(c), "no figure changed"));
  CHECK(has(to_markdown(c), "no figure changed"));
}

TEST_CASE("each figure that changed is a row, and fewer is better but for blocks an SM") {
  GateChanges c =
      compare_reports(report({row("a", "sm_80", 40, 4), row("b", "sm_80", 32, 4)}),
                      report({row("a", "sm_80", 50, 5), row("b", "sm_80", 30, 3)}), true);
  REQUIRE(c.changes.size() == 4);
  CHECK(c.changes[0].figure == "registers");
  CHECK_FALSE(c.changes[0].better);
  CHECK(c.changes[1].figure == "ctas_per_sm");
  CHECK(c.changes[1].better);
  CHECK(c.changes[2].better);
  CHECK_FALSE(c.changes[3].better);
  std::string text = to_text(c);
  CHECK(has(text, "a@s     sm_80   registers         40 -> 50 (+25.0 %)"));
  CHECK(has(text, "registers: 72 -> 80 in the changed rows; better in 1, worse in 1"));
  CHECK(has(to_markdown(c), "| a@s | sm_80 | registers | 40 -> 50 (+25.0 %) | worse |"));
  json j = to_json(c);
  CHECK(j["compared"] == 2);
  CHECK(j["rows"][0] == json{{"config", "a@s"},
                             {"target", "sm_80"},
                             {"figure", "registers"},
                             {"before", 40},
                             {"after", 50},
                             {"better", false}});
}

TEST_CASE("rows come and go, and go only from a run of all configs") {
  json before = report({row("a", "sm_80", 40), row("b", "sm_80", 40)}, "ptxas 12.8");
  json after = report({row("a", "sm_80", 40), row("c", "sm_80", 40)});
  GateChanges whole = compare_reports(before, after, true);
  REQUIRE(whole.changes.size() == 2);
  CHECK((whole.changes[0].came && whole.changes[0].config == "c@s"));
  CHECK((whole.changes[1].went && whole.changes[1].config == "b@s"));
  CHECK(compare_reports(before, after, false).changes.size() == 1);
  CHECK(has(to_text(whole), "(ptxas 12.8 -> ptxas 13.0)"));
  CHECK(has(to_text(whole), "1 rows are gone"));
}

TEST_CASE("a row without figures is no change") {
  json none = row("a", "sm_80", 40);
  none.erase("registers");
  CHECK(compare_reports(report({none}), report({row("a", "sm_80", 44)}), true).changes.empty());
}

TEST_CASE("what is no report of the gate is refused") {
  CHECK(refusal(json::array()) == "its schema is not barline.gate/1");
  CHECK(refusal({{"schema", "barline.build/1"}}) == "its schema is not barline.gate/1");
  CHECK(refusal({{"schema", "barline.gate/1"}}) == "it has no results");
  CHECK(refusal(report({json(3)})) == "a row is no object");
  CHECK(refusal(report({json{{"kernel", "a"}}})) == "a row has no text 'schedule'");
  json odd = row("a", "sm_80", 40);
  odd["registers"] = "many";
  CHECK_THROWS_AS(compare_reports(report({odd}), report({row("a", "sm_80", 1)}), true),
                  BaselineError);
}

TEST_CASE("a long table of changes is cut in markdown") {
  std::vector<json> before, after;
  for (int i = 0; i < 4000; ++i) {
    std::string name = "kernel_" + std::to_string(i);
    before.push_back(row(name.c_str(), "sm_80", 40));
    after.push_back(row(name.c_str(), "sm_80", 41));
  }
  std::string text = to_markdown(compare_reports(report(before), report(after), true));
  CHECK(text.size() < markdown_changes_bytes + 1000);
  CHECK(has(text, "more | | | | |"));
}
