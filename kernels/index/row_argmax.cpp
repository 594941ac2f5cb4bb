// SPDX-License-Identifier: Apache-2.0
// The largest element of each row and the lowest position that holds it. A NaN never wins; a row
// of nothing but NaN gives value -infinity and index 2^31 - 1.
#include <limits>

#include "dsl/dsl.h"
#include "kernels/kernels.h"
#include "kernels/reference/elements.h"
#include "kernels/schedules.h"

namespace barline::kernels {
namespace {

using namespace dsl;

KernelSource row_argmax(Elem type) {
  Axis rows{"rows"}, d{"d"};
  In x{"x", type, {rows, d}};
  Out value{"value", type, {rows}}, index{"index", s32, {rows}};
  return kernel("row_argmax", {x, value, index}, [=](Tiles& b) {
    auto row = b.index(rows);
    auto v = b.stripe(x(row, all));
    auto best = block_argmax(argmax(v, b.positions(v)));
    b.store(value(row), best.value);
    b.store(index(row), best.index);
  });
}

void row_argmax_reference(ReferenceArgs a) {
  std::int64_t rows = a.sizes.at("rows"), d = a.sizes.at("d");
  for (std::int64_t r = 0; r < rows; ++r) {
    std::vector<float> v = reference::load_f32(a.tensors.at("x"), r * d, d);
    float best = -std::numeric_limits<float>::infinity();
    std::int32_t at = std::numeric_limits<std::int32_t>::max();
    for (std::int32_t i = 0; i < d; ++i)
      if (v[i] > best || (v[i] == best && i < at)) best = v[i], at = i;
    reference::store_f32(a.tensors.at("value"), r, best);
    a.tensors.at("index").as<std::int32_t>()[r] = at;
  }
}

}  // namespace

void add_row_argmax(Registry& registry) {
  registry.add({.name = "row_argmax",
                .doc = "the largest element of each row and the lowest position that holds it",
                .types = {f32, f16, bf16},
                .schedules = {row256, row256_d8192},
                .make = row_argmax,
                .reference = row_argmax_reference,
                .bytes = [](Elem e, const auto& n) {
                  return n.at("rows") * (ir::bytes(e) * (n.at("d") + 1.0) + 4);
                }});
}

}  // namespace barline::kernels
