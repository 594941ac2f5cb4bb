// SPDX-License-Identifier: Apache-2.0
// Every kernel, element type and schedule on the simulator, as written and as lowered, against its
// reference: bit for bit, at sizes with and without ragged edges.
#include <catch2/catch.hpp>

#include "ir/numerics.h"
#include "problem.h"

using namespace barline;
using test::Problem;

namespace {

void agree(Problem p) {
  test::Tensors whole = p.simulated(false), lowered = p.simulated(true);
  p.refer();
  INFO(p.config.label << " bound " << p.config.dims.size());
  for (const auto& [name, n] : p.sizes) UNSCOPED_INFO(name << " = " << n);
  CHECK(test::first_difference(whole, p.tensors) == "");
  CHECK(test::first_difference(lowered, p.tensors) == "");
}

void agree_everywhere(const std::string& name, const std::vector<test::Sizes>& sizes) {
  const dsl::KernelEntry& e = test::entry(name);
  for (ir::Elem type : e.types)
    for (const ir::Schedule& s : e.schedules)
      for (const test::Sizes& n : sizes) agree(Problem(name, type, s, n));
}

/// One element, part of a warp, a ragged vector, more than one chunk of each schedule.
const std::vector<test::Sizes> rows = {
    {{"rows", 2}, {"d", 1}}, {{"rows", 3}, {"d", 100}}, {{"rows", 1}, {"d", 2600}}};
const std::vector<test::Sizes> flat = {{{"n", 1}}, {{"n", 4096}}, {{"n", 5003}}};

}  // namespace

TEST_CASE("norm kernels equal their references bit for bit", "[kernels]") {
  for (const char* name : {"rms_norm", "rms_norm_residual", "layer_norm", "softmax"})
    agree_everywhere(name, rows);
}

TEST_CASE("rms_norm_quant_q8 equals its reference bit for bit", "[kernels]") {
  agree_everywhere("rms_norm_quant_q8", {{{"rows", 2}, {"d", 32}, {"groups", 1}},
                                         {{"rows", 2}, {"d", 2592}, {"groups", 81}}});
}

TEST_CASE("elementwise kernels equal their references bit for bit", "[kernels]") {
  for (const char* name : {"vector_add", "silu_mul", "gelu_erf", "gelu_tanh"})
    agree_everywhere(name, flat);
  agree_everywhere("dequant_s8", rows);
}

TEST_CASE("index kernels equal their references bit for bit", "[kernels]") {
  agree_everywhere("row_argmax", rows);
  agree_everywhere(
      "transpose",
      {{{"rows", 1}, {"cols", 1}}, {{"rows", 64}, {"cols", 128}}, {{"rows", 65}, {"cols", 127}}});
}

TEST_CASE("special values go through a row kernel as through its reference", "[kernels]") {
  const double inf = INFINITY,
               values[] = {inf, -inf, NAN, -0.0, 0x1p-149, 0x1p-130, 3.4e38, -3.4e38};
  for (const char* name : {"rms_norm", "layer_norm", "softmax", "row_argmax"})
    for (const ir::Schedule& s : test::entry(name).schedules)
      for (double v : values) {
        Problem p(name, ir::Elem::F32, s, {{"rows", 3}, {"d", 520}});
        p.set("x", 519, v);                                       // row 0: one
        for (int i = 0; i < 520; i += 7) p.set("x", 520 + i, v);  // row 1: many
        for (int i = 0; i < 520; ++i) p.set("x", 1040 + i, v);    // row 2: all
        agree(std::move(p));
      }
}

TEST_CASE("special values go through a map as through its reference", "[kernels]") {
  const double values[] = {0.0,       -0.0,     INFINITY, -INFINITY, NAN,  0x1p-149,
                           -0x1p-149, 0x1p-126, -88.7,    -104,      88.8, 3.4e38,
                           -3.4e38,   1,        -1,       16,        -16};
  const char* inputs[][2] = {
      {"vector_add", "a"}, {"silu_mul", "gate"}, {"gelu_erf", "x"}, {"gelu_tanh", "x"}};
  for (auto [name, input] : inputs)
    for (ir::Elem type : test::entry(name).types) {
      Problem p(name, type, test::entry(name).schedules.front(), {{"n", 300}});
      p.fill(input, [&](std::int64_t i) { return values[i % std::size(values)]; });
      agree(std::move(p));
    }
}
