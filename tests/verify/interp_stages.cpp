// SPDX-License-Identifier: Apache-2.0
// The simulator runs a kernel before the pipeline, after each pass and at its end: the same bits at
// every stage from bind_order on, and no finding once barriers are placed.
#include <catch2/catch.hpp>
#include <random>

#include "interp_run.h"
#include "interp_texts.h"
#include "ir/numerics.h"
#include "ir/pipeline.h"

using namespace barline;
using namespace barline::verify;
using ir::Elem;

namespace {

using Outputs = std::vector<std::vector<std::byte>>;

Outputs run_stage(const ir::Kernel& k, std::vector<ir::Tensor> tensors,
                  const std::vector<std::int64_t>& sizes, const SimOptions& options) {
  std::vector<SimArgument> arguments;
  for (ir::Tensor& t : tensors) arguments.emplace_back(t);
  SimReport r = simulate(k, arguments, sizes, options);
  if (r.finding) FAIL(to_string(*r.finding));
  Outputs out;
  for (const ir::Tensor& t : tensors) out.push_back(t.data);
  return out;
}

void same_at_every_stage(const std::string& text, const std::vector<ir::Tensor>& tensors,
                         const std::vector<std::int64_t>& sizes) {
  ir::Kernel k = kernel(text);
  Outputs bound;
  ir::run_pipeline(k, [&](std::string_view pass, const ir::Kernel& stage) {
    if (pass == "input" || pass == "strip_regions") return;
    INFO("after " << pass);
    SimOptions o;
    o.syncs_placed = pass == "place_syncs";
    Outputs now = run_stage(stage, tensors, sizes, o);
    if (bound.empty()) bound = now;
    REQUIRE(now == bound);
  });
  for (std::uint64_t seed : {1, 2, 3})
    REQUIRE(run_stage(k, tensors, sizes, {.order = WarpOrder::Random, .seed = seed}) == bound);
  REQUIRE(run_stage(k, tensors, sizes, {.order = WarpOrder::Reverse}) == bound);
}

ir::Tensor noise(Elem e, std::vector<std::int64_t> shape) {
  ir::Tensor t(e, std::move(shape));
  std::mt19937 rng(3);
  for (std::int64_t i = 0; i < t.count(); ++i) {
    float x = std::uniform_real_distribution<float>(-2, 2)(rng);
    if (e == Elem::F32) t.as<float>()[i] = x;
    if (e == Elem::BF16) t.as<std::uint16_t>()[i] = ir::num::to_bf16(x).bits;
  }
  return t;
}

}  // namespace

TEST_CASE("a row's sum keeps its bits through the pipeline") {
  for (std::int64_t d : {1, 384, 1000, 2305})
    for (int chains : {1, 4})
      same_at_every_stage(row_sum("0", chains), {noise(Elem::F32, {2, d}), {Elem::F32, {2, d}}},
                          {2, d});
  same_at_every_stage(row_sum("3", 2, "axis d = 1000"),
                      {noise(Elem::F32, {2, 1000}), {Elem::F32, {2, 1000}}}, {2});
}

TEST_CASE("argmax, block reductions in a loop and tiles over the grid keep their bits") {
  same_at_every_stage(argmax, {noise(Elem::F32, {64}), {Elem::F32, {64}}, {Elem::S32, {64}}}, {});
  same_at_every_stage(twice, {{Elem::S32, {128}}}, {});
  for (std::int64_t n : {1, 193, 1000})
    same_at_every_stage(scale_over_grid,
                        {noise(Elem::BF16, {n}), {Elem::S32, {n}}, {Elem::F32, {n}}}, {n});
}
