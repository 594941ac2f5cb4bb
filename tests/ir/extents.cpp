// SPDX-License-Identifier: Apache-2.0
// Axes that derive from others, and grids over several axes: sizes, text and rules.
#include "ir/extents.h"

#include <catch2/catch.hpp>

#include "ir/check.h"
#include "ir/diagnostic.h"
#include "ir/parse.h"
#include "ir/print.h"

using namespace barline;
using namespace barline::ir;

namespace {

Kernel header(const std::string& lines) {
  return parse("bir 1\nkernel @k\n" + lines + "\nthreads 32 1 1\n{\nyield\n}\n", "e.bir");
}

void refuse(const std::string& lines, const char* words, const char* fix) {
  INFO(lines);
  Kernel k = header(lines);
  try {
    check(k);
  } catch (const Error& e) {
    CHECK(code(e.diagnostic().diag) == "bad-dim");
    CHECK_THAT(e.diagnostic().message, Catch::Contains(words));
    CHECK_THAT(e.diagnostic().fix, Catch::Contains(fix));
    return;
  }
  FAIL("accepted");
}

}  // namespace

TEST_CASE("derived sizes follow along chains", "[ir]") {
  Kernel k = header("axis tiles of units / 2\naxis units of K / 64 * 128\naxis K\nsize %K");
  check(k);
  std::vector<std::int64_t> sizes{0, 0, 130};
  derive_sizes(k, sizes);
  CHECK(sizes == std::vector<std::int64_t>{192, 384, 130});
  CHECK(is_dynamic(k.axes[2]));
  CHECK_FALSE(is_dynamic(k.axes[1]));
}

TEST_CASE("a grid counts the blocks of several axes", "[ir]") {
  const std::vector<std::int64_t> sizes{33, 16, 1};
  CHECK(blocks({.axis = 0, .per_block = 16, .count = 1}, sizes) == 3);
  CHECK(blocks({.axis = 0, .per_block = 16, .count = 1, .also = {1, 2}}, sizes) == 5);
  CHECK(blocks({.axis = 1, .per_block = 16, .count = 1, .also = {0, 2}, .abreast = true}, sizes) ==
        3);
  CHECK(blocks({.axis = -1, .per_block = 1, .count = 7}, sizes) == 7);
}

TEST_CASE("derived axes and grids of several axes are read back as they are printed", "[ir]") {
  Kernel k = header(
      "axis g = 8\naxis words of K / 8\naxis pairs of g * 2\naxis K\naxis N\nsize %K\nsize %N\n"
      "grid K+N+g/16 K|words/8 N/1");
  check(k);
  std::string text = print(k);
  CHECK_THAT(text, Catch::Contains("axis words of K / 8\n"));
  CHECK_THAT(text, Catch::Contains("axis pairs of g * 2\n"));
  CHECK_THAT(text, Catch::Contains("grid K+N+g/16 K|words/8 N/1\n"));
  Kernel back = parse(text);
  CHECK(back.axes == k.axes);
  CHECK(print(back) == text);
  CHECK((back.launch.grid[1].abreast && !back.launch.grid[0].abreast));
}

TEST_CASE("a derived axis has a parent and no size of its own", "[ir]") {
  refuse("axis K\naxis w of K / 8\nsize %K\nsize %w", "'w' is derived and has a size, too",
         "without a size line");
  refuse("axis a of b\naxis b of a", "'a' derives from itself", "of parent");
  refuse("axis K = 64\naxis w = 9 of K / 8", "bound to 9 and derived from 'K'", "leave its bound");
  refuse("axis K\naxis w = 8 of K / 8\nsize %K", "bound to 8 and derived from 'K'", "it follows");
  CHECK_NOTHROW(check(header("axis K = 64\naxis w = 8 of K / 8")));
  CHECK_THROWS_WITH(header("axis w of K / 8"), Catch::Contains("no axis 'K'"));
  CHECK_THROWS_WITH(header("axis K\naxis w of K / 0"), Catch::Contains("0 as elements"));
}
