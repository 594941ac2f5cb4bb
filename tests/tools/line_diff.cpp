// SPDX-License-Identifier: Apache-2.0
#include "tools/line_diff.h"

#include <catch2/catch.hpp>

using barline::tools::line_diff;

TEST_CASE("a difference shows lines gone and new with their surroundings") {
  CHECK(line_diff("a\nb\nc\n", "a\nb\nc\n") == "");
  CHECK(line_diff("", "") == "");
  CHECK(line_diff("a\nb\nc\n", "a\nx\nc\n") == "  a\n- b\n+ x\n  c\n");
  CHECK(line_diff("", "a\n") == "+ a\n");
  CHECK(line_diff("a\nb\n", "b\n") == "- a\n  b\n");
  CHECK(line_diff("1\n2\n3\n4\n5\n6\n7\n", "1\n2\n3\n4\n5\nx\n7\n", 1) == "  5\n- 6\n+ x\n  7\n");
  CHECK(line_diff("x\n1\n2\n3\n4\n5\ny\n", "1\n2\n3\n4\n5\n", 1) == "- x\n  1\n  ...\n  5\n- y\n");
}

TEST_CASE("a very long difference replaces everything") {
  std::string before, after;
  for (int i = 0; i < 5000; ++i) {
    before += "a\n";
    after += "b\n";
  }
  std::string diff = line_diff(before, after);
  CHECK(diff.find("+ b") > diff.rfind("- a"));
}
