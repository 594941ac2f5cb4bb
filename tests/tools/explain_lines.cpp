// SPDX-License-Identifier: Apache-2.0
#include "tools/explain_lines.h"

#include <catch2/catch.hpp>

using barline::tools::ir_lines;
using barline::tools::IrLine;

namespace {

std::string marks(const std::vector<IrLine>& lines) {
  std::string out;
  for (const IrLine& l : lines) out += l.mark;
  return out;
}

}  // namespace

TEST_CASE("lines keep their place in the source and lose its words") {
  auto lines = ir_lines("", "{\n  %0 = add %a, %b : f32 @ \"a/k.cpp\":12:7\n}\n");
  REQUIRE(lines.size() == 3);
  CHECK(marks(lines) == "   ");  // before the first pass nothing is new
  CHECK(lines[1].text == "  %0 = add %a, %b : f32");
  CHECK(lines[1].file == "a/k.cpp");
  CHECK(lines[1].line == 12);
  CHECK(lines[0].file == "");
}

TEST_CASE("a pass changes a line, not the numbers of the values after it") {
  auto lines = ir_lines("%0 = x @ \"f\":1:1\n%1 = add %0, %0 @ \"f\":2:1\n",
                        "%0 = y @ \"f\":1:1\n%1 = z @ \"f\":1:1\n%2 = add %1, %1 @ \"f\":2:1\n");
  CHECK(marks(lines) == "-++ ");
  CHECK(lines[3].text == "%2 = add %1, %1");  // as it is after the pass
}

TEST_CASE("a string that looks like a place stays in its line") {
  auto lines = ir_lines("", "print \"odd @ \" @ \"f.cpp\":3:4\nbarrier {why = \"a @ b\"}\n");
  CHECK(lines[0].text == "print \"odd @ \"");
  CHECK(lines[0].line == 3);
  CHECK(lines[1].text == "barrier {why = \"a @ b\"}");
  CHECK(lines[1].file == "");
}
