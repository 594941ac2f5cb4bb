// SPDX-License-Identifier: Apache-2.0
// Notes on products that ptxas serialised are errors: which, and what they say.
#include <catch2/catch.hpp>

#include "codegen/report/serialised.h"
#include "tests/codegen/lower_fixture.h"
#include "tests/codegen/report_logs.h"

namespace barline::codegen::test {
namespace {

std::string explained(const std::string& line, std::string_view kernel = "k") {
  return explain_serialised(parse_ptxas_log("ptxas info    : " + line + "\n"), kernel);
}

std::string wgmma_note(const std::string& code, const std::string& why) {
  return "(" + code +
         ") Potential Performance Loss: wgmma.mma_async instructions are serialized due to " + why +
         " in the function 'k'";
}

bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("notes on wgmma and setmaxnreg name code, kernel and fix", "[codegen][report]") {
  const std::string text = explain_serialised(parse_ptxas_log(logs::text("notes")), "k");
  INFO(text);
  CHECK(holds(text, "kernel 'k': ptxas (C7508)"));
  CHECK(holds(text, "fix: give the launch max_registers"));
  CHECK(holds(text, "kernel 'k': ptxas (C7510)"));
  CHECK(holds(text, "fix: take a smaller tile"));
}

TEST_CASE("every reason that ptxas knows has a fix of its own", "[codegen][report]") {
  struct Case {
    const char *why, *fix;
  };
  for (const Case& c :
       {Case{"insufficient register resources for the wgmma pipeline", "smaller tile"},
        Case{"non wgmma instructions defining input registers of a wgmma between start and end of "
             "the pipeline stage",
             "two sets of a"},
        Case{"non wgmma instructions reading accumulator registers of  a wgmma between start and "
             "end of the pipeline stage",
             "after the wait"},
        Case{"non wgmma instructions defining accumulator registers of a wgmma between start and "
             "end of the pipeline stage",
             "before the fence"},
        Case{"ill formed pipeline stage", "in one region"},
        Case{"program dependence on compiler-inserted WG.AR in divergent path", "out of"},
        Case{"the presence of Extern calls", "keep calls out"}}) {
    const std::string text = explained(wgmma_note("C7514", c.why));
    INFO(text);
    CHECK(holds(text, "C7514"));
    CHECK(holds(text, c.fix));
    CHECK(!holds(text, "docs/ops.md"));
  }
}

TEST_CASE("other notes, and other functions' notes, refuse nothing", "[codegen][report]") {
  CHECK(explained(wgmma_note("C7510", "ill formed pipeline stage"), "other").empty());
  CHECK(
      explained("(C7520) Potential Performance Loss: something else in the function 'k'").empty());
  CHECK(explained("(C7510) wgmma is fine in the function 'k'").empty());
  CHECK(explain_serialised(parse_ptxas_log(logs::text("hopper")), "k").empty());
}

}  // namespace barline::codegen::test
