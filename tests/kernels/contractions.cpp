// SPDX-License-Identifier: Apache-2.0
// Every contraction and schedule on the simulator: canaries with known products, and ragged random
// operands with the reference's bits.
#include <catch2/catch.hpp>

#include "canaries.h"
#include "kernels/reference/contraction.h"
#include "problem.h"

using namespace barline;
using kernels::reference::Contraction;
using kernels::reference::Weights;
using test::Canary;
using test::CanaryShape;
using test::Problem;

namespace {

const std::vector<std::string> qkv = {"_q", "_k", "_v"};

struct Subject {
  const char* kernel;
  Contraction names;
  std::int64_t group = 0;
};
const Subject subjects[] = {
    {"matmul", {}},
    {"qkv_w4a16", {.weights = Weights::Int4, .segments = qkv}, 128},
    {"qkv_w8a16", {.weights = Weights::Int8, .segments = qkv}},
    {"qkv_w8a16_columns", {.weights = Weights::Int8, .segments = qkv}},
    {"matmul_w8a8", {.weights = Weights::Int8Rows}},
    {"matmul_w4a16", {.weights = Weights::Int4}, 128},
    {"matmul_w4a16_g32", {.weights = Weights::Int4}, 32},
    {"matmul_w4a16_g64", {.weights = Weights::Int4}, 64},
    {"matmul_w4a16_g256", {.weights = Weights::Int4}, 256},
    {"matmul_w4a16_gk", {.weights = Weights::Int4}},
};

test::Sizes sizes_of(const Subject& s, const CanaryShape& shape) {
  test::Sizes sizes{{"M", shape.m}, {"K", shape.k}};
  for (std::size_t p = 0; p < shape.n.size(); ++p) sizes["N" + s.names.segments[p]] = shape.n[p];
  return sizes;
}

/// The shape of at least these sizes that the kernel takes; the last of `n` is that of the segments
/// after it too.
CanaryShape shape_of(const Subject& s, const ir::Schedule& schedule, std::int64_t m, std::int64_t k,
                     std::vector<std::int64_t> n) {
  n.resize(s.names.segments.size(), n.back());
  CanaryShape shape{.weights = s.names.weights,
                    .m = m,
                    .k = k,
                    .n = std::move(n),
                    .group = s.group,
                    .step = schedule.tile.k};
  test::Sizes sizes =
      test::rounded_up(s.kernel, test::entry(s.kernel).types.front(), schedule, sizes_of(s, shape));
  shape.m = sizes.at("M"), shape.k = sizes.at("K");
  for (std::size_t p = 0; p < shape.n.size(); ++p) shape.n[p] = sizes.at("N" + s.names.segments[p]);
  return shape;
}

Problem problem_of(const Subject& s, ir::Elem type, const ir::Schedule& schedule,
                   const CanaryShape& shape) {
  return Problem(s.kernel, type, schedule, sizes_of(s, shape));
}

/// Flies the canaries through the lowered kernel: all of them, or those that tell most.
void fly(const Subject& s, const ir::Schedule& schedule, const CanaryShape& shape, bool all) {
  for (const Canary& canary : test::canaries(shape)) {
    if (!all && canary.name != "slots" && canary.name != "random") continue;
    Problem p = problem_of(s, test::entry(s.kernel).types.front(), schedule, shape);
    test::fill(canary, shape, s.names, p.tensors, p.scalars);
    test::Tensors got = p.simulated(true);
    INFO(p.config.label << " M " << shape.m << " K " << shape.k << " N " << shape.n[0]);
    CHECK(test::first_unwanted(canary, s.names, got) == "");
    p.refer();
    CHECK(test::first_difference(got, p.tensors) == "");
  }
}

/// Tiles too big to simulate with every canary.
bool is_big(const ir::Schedule& s) { return s.roles.count > 0 || s.splits.count > 0; }

}  // namespace

TEST_CASE("canaries at two and three steps of k, over a whole tile and a ragged one", "[kernels]") {
  for (const Subject& s : subjects)
    for (const ir::Schedule& schedule : test::entry(s.kernel).schedules)
      for (std::int64_t steps : {2, 3}) {
        std::int64_t n = steps == 2 ? 9 : schedule.tile.n + 9;
        if (steps == 2 && is_big(schedule)) continue;
        bool last = &schedule == &test::entry(s.kernel).schedules.back();
        fly(s, schedule, shape_of(s, schedule, 17, steps * schedule.tile.k, {n, 24}),
            steps == 3 && !is_big(schedule) && (last || s.names.segments.size() > 1));
      }
}

TEST_CASE("canaries on a single row and column", "[kernels]") {
  for (const Subject& s : subjects)
    for (const ir::Schedule& schedule : test::entry(s.kernel).schedules)
      fly(s, schedule, shape_of(s, schedule, 1, 1, {1}), !is_big(schedule));
}

TEST_CASE("ragged matmuls of every type have the reference's bits", "[kernels]") {
  for (const char* name :
       {"matmul", "matmul_epilogue", "matmul_w8a8", "matmul_w4a16", "matmul_w4a16_gk"})
    for (ir::Elem type : test::entry(name).types)
      for (const ir::Schedule& schedule : test::entry(name).schedules)
        for (auto [m, n, k] : {std::tuple{1, 1, 1}, {7, 130, 33}, {65, 63, 100}, {130, 17, 65}}) {
          Problem p(name, type, schedule,
                    test::rounded_up(name, type, schedule, {{"M", m}, {"N", n}, {"K", k}}));
          test::Tensors whole = p.simulated(false), lowered = p.simulated(true);
          p.refer();
          INFO(p.config.label << " " << m << " " << n << " " << k);
          CHECK(test::first_difference(whole, p.tensors) == "");
          CHECK(test::first_difference(lowered, p.tensors) == "");
        }
}

TEST_CASE("ragged projections with scales of their own have the reference's bits", "[kernels]") {
  for (const Subject& s : subjects) {
    if (s.names.segments.size() == 1) continue;
    for (const ir::Schedule& schedule : test::entry(s.kernel).schedules)
      for (std::int64_t m : {7, 65}) {
        if (m == 65 && is_big(schedule)) continue;
        CanaryShape shape = shape_of(s, schedule, m, 5 * schedule.tile.k, {41, 23});
        Problem p = problem_of(s, ir::Elem::F16, schedule, shape);
        double scale = 0.01;
        for (auto& [name, value] : p.scalars) value = scale += 0.003;
        test::Tensors whole = p.simulated(false), lowered = p.simulated(true);
        p.refer();
        INFO(p.config.label << " M " << m);
        CHECK(test::first_difference(whole, p.tensors) == "");
        CHECK(test::first_difference(lowered, p.tensors) == "");
      }
  }
}
