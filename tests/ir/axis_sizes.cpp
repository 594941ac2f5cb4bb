// SPDX-License-Identifier: Apache-2.0
#include "ir/extents.h"

#include <catch2/catch.hpp>

using namespace barline;

TEST_CASE("a derived axis follows its parent, which may stand after it") {
  auto derived = [](const char* name, int of, std::int64_t per, std::int64_t times) {
    return ir::Axis{name, {}, 1, of, per, times};
  };
  ir::Kernel k;
  k.axes = {derived("units", 1, 64, 128),
            {"K", {}, 1},
            {"N", 40, 1},
            derived("rows", 2, 16, 1),
            derived("halves", 0, 2, 1)};
  auto sizes = ir::axis_sizes(k, [](const ir::Axis& a) {
    CHECK(a.name == "K");
    return std::int64_t{130};
  });
  CHECK(sizes == std::vector<std::int64_t>{384, 130, 40, 3, 192});
}
