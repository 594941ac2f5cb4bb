// SPDX-License-Identifier: Apache-2.0
// Distances of outputs from references: over which elements, and null where there were none.
#include "tools/agreement.h"

#include <catch2/catch.hpp>

using namespace barline;
using tools::Agreement;

namespace {

ir::Tensor floats(const std::vector<float>& values) {
  ir::Tensor t(ir::Elem::F32, {static_cast<std::int64_t>(values.size())});
  std::copy(values.begin(), values.end(), t.as<float>());
  return t;
}

}  // namespace

TEST_CASE("outputs add up to one agreement") {
  Agreement a;
  add_distances(a, floats({1, 2, 3, 4}), floats({1, 2, 3, 6}));
  CHECK(a.elements == 4);
  CHECK(a.max_abs == 2);
  CHECK(a.mean_abs == 0.5);
  CHECK(a.max_rel == Approx(1.0 / 3));
  add_distances(a, floats({1, 2, 3, 4}), floats({1, 2, 3, 4}));
  CHECK(a.elements == 8);
  CHECK(a.max_abs == 2);
  CHECK(a.mean_abs == 0.25);
}

TEST_CASE("of a sample only its places are looked at, and counted") {
  // The reference leaves the other places as they were.
  std::vector<float> got(9, 1), want(9, -100);
  Agreement a{.stride = 9};
  add_distances(a, floats(got), floats(want));
  CHECK(a.elements == 1);
  CHECK(a.max_abs == 101);
}

TEST_CASE("what was not compared has no distance, not one of zero") {
  const auto json = to_json(Agreement{.reference = "reference", .gate = true});
  CHECK(json["elements"] == 0);
  for (const char* figure : {"max_abs", "mean_abs", "max_rel"}) CHECK(json[figure].is_null());
  Agreement a{.stride = 2};
  add_distances(a, floats({1, 1}), floats({1, 1}));
  CHECK(to_json(a)["max_abs"] == 0.0);
  CHECK(to_json(a)["stride"] == 2);
}
