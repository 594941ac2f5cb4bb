// SPDX-License-Identifier: Apache-2.0
// A kernel as small as they come: y[r, :] = x[r, :].
#pragma once

#include "dsl/dsl.h"

namespace barline::test {

inline dsl::KernelSource copy_rows(ir::Elem type) {
  dsl::Axis rows{"rows"}, d{"d", 4};
  dsl::In x{"x", type, {rows, d}};
  dsl::Out y{"y", type, {rows, d}};
  return dsl::kernel("copy_rows", {x, y}, [=](dsl::Tiles& b) {
    auto row = b.index(rows);
    b.store(y(row, dsl::all), b.stripe(x(row, dsl::all)));
  });
}

}  // namespace barline::test
