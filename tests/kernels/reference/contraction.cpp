// SPDX-License-Identifier: Apache-2.0
// The references of contractions: canaries with known products, every layout, scales, inputs.
#include "kernels/reference/contraction.h"

#include <catch2/catch.hpp>
#include <cmath>

#include "dsl/sample.h"
#include "ir/half.h"
#include "kernels/matmul/int4.h"
#include "kernels/matmul/int8.h"
#include "kernels/reference/elements.h"
#include "tests/kernels/canaries.h"
#include "verify/compare.h"

using namespace barline;
using namespace barline::kernels::reference;
using ir::Elem;
using ir::Tensor;
using test::Canary;
using test::CanaryShape;

namespace {

enum class Layout { Plain, Image };

struct Run {
  Contraction names;
  CanaryShape shape;
  std::map<std::string, Tensor> tensors;
  std::map<std::string, double> scalars;
  std::map<std::string, std::int64_t> sizes;
  dsl::Config config;

  Run(CanaryShape s, std::vector<std::string> segments, Elem x, Elem y, Layout layout)
      : names{.weights = s.weights, .segments = std::move(segments)}, shape(std::move(s)) {
    tensors["x"] = Tensor(x, {shape.m, shape.k});
    sizes = {{"M", shape.m}, {"K", shape.k}};
    for (std::size_t p = 0; p < names.segments.size(); ++p) {
      const std::string& suffix = names.segments[p];
      std::int64_t n = sizes["N" + suffix] = shape.n[p];
      tensors["y" + suffix] = Tensor(y, {shape.m, n});
      tensors["w" + suffix] = weights(n, x, layout);
      if (shape.weights == Weights::Int4)
        tensors["w_scale" + suffix] =
            Tensor(Elem::F16, {(shape.k + shape.group - 1) / shape.group, n});
      if (shape.weights == Weights::Int8 || shape.weights == Weights::Int8Rows)
        scalars["w_scale" + suffix] = 0;
    }
  }

  Tensor weights(std::int64_t n, Elem x, Layout layout) const {
    if (shape.weights == Weights::Float) return Tensor(x, {shape.k, n});
    if (shape.weights == Weights::Int8Rows) return Tensor(Elem::S8, {n, shape.k});
    bool int4 = shape.weights == Weights::Int4;
    if (layout == Layout::Image)
      return Tensor(Elem::U32,
                    {(n + (int4 ? 15 : 7)) / (int4 ? 16 : 8), (shape.k + 63) / 64 * 128});
    return int4 ? Tensor(Elem::U32, {n, shape.k / 8}) : Tensor(Elem::S8, {shape.k, n});
  }

  dsl::ReferenceArgs args(std::int64_t stride = 1) {
    return {tensors, scalars, sizes, config, stride};
  }
};

/// Every canary on the run's sizes: known products, and the bounds around the reference.
void fly(Run run) {
  for (const Canary& canary : test::canaries(run.shape)) {
    test::fill(canary, run.shape, run.names, run.tensors, run.scalars);
    contract(run.names, run.args());
    CHECK(test::first_unwanted(canary, run.names, run.tensors) == "");
    for (const auto& [name, bound] : contract_bounds(run.names, run.args())) {
      const Tensor& y = run.tensors.at(name);
      verify::Comparison c =
          verify::compare_within(y, dsl::sample_places(y.count(), 1), bound.value, bound.slack);
      INFO(canary.name << " " << name << " " << verify::bound_text(c));
      CHECK(c);
    }
  }
}

const std::vector<std::string> qkv = {"_q", "_k", "_v"};

}  // namespace

TEST_CASE("canaries of int4 weights, groups and ragged sizes", "[kernels]") {
  for (Layout layout : {Layout::Plain, Layout::Image})
    for (std::int64_t group : {32, 64, 128, 256, 192})
      fly(Run({.m = 17, .k = 192, .n = {33, 8, 8}, .group = group}, qkv, Elem::F16, Elem::F16,
              layout));
  // Two and three steps of k, a single row and column, a last group that is not whole.
  for (std::int64_t k : {32, 48, 80})
    fly(Run({.m = 1, .k = k, .n = {1}, .group = 32}, {""}, Elem::F16, Elem::F32, Layout::Plain));
}

TEST_CASE("canaries of int8 weights under f16 and bf16", "[kernels]") {
  CanaryShape s{.weights = Weights::Int8, .m = 7, .k = 128, .n = {24, 9, 9}};
  for (Layout layout : {Layout::Plain, Layout::Image})
    for (Elem x : {Elem::F16, Elem::BF16}) fly(Run(s, qkv, x, Elem::F16, layout));
  s.k = 33;
  for (Layout layout : {Layout::Plain, Layout::Image})
    fly(Run(s, qkv, Elem::F16, Elem::F32, layout));
}

TEST_CASE("canaries of int8 by int8 are exact", "[kernels]") {
  for (Elem y : {Elem::S32, Elem::F32, Elem::F16})
    for (std::int64_t k : {1, 32, 100})
      fly(Run({.weights = Weights::Int8Rows, .m = 9, .k = k, .n = {13}}, {""}, Elem::S8, y,
              Layout::Plain));
}

TEST_CASE("canaries of float weights", "[kernels]") {
  for (Elem x : {Elem::F16, Elem::BF16})
    for (std::int64_t k : {1, 17, 64})
      fly(Run({.weights = Weights::Float, .m = 17, .k = k, .n = {9}}, {""}, x, Elem::F32,
              Layout::Plain));
}

TEST_CASE("scales by row and by column multiply in that order", "[kernels]") {
  CanaryShape s{.weights = Weights::Int8Rows, .m = 3, .k = 40, .n = {5}};
  Run run(s, {""}, Elem::S8, Elem::F32, Layout::Plain);
  test::fill(test::canaries(s).back(), s, run.names, run.tensors, run.scalars);
  run.scalars.clear();
  auto& rows = run.tensors["x_scale"] = Tensor(Elem::F32, {3});
  auto& columns = run.tensors["w_scale"] = Tensor(Elem::F32, {5});
  for (int i = 0; i < 3; ++i) rows.as<float>()[i] = 0.1f * float(i + 1);
  for (int i = 0; i < 5; ++i) columns.as<float>()[i] = 0.3f / float(i + 1);
  contract(run.names, run.args());
  for (int m = 0; m < 3; ++m)
    for (int n = 0; n < 5; ++n) {
      int sum = 0;
      for (int k = 0; k < 40; ++k)
        sum += run.tensors["x"].as<std::int8_t>()[m * 40 + k] *
               run.tensors["w"].as<std::int8_t>()[n * 40 + k];
      float want = float(sum) * rows.as<float>()[m] * columns.as<float>()[n];
      CHECK(run.tensors["y"].as<float>()[m * 5 + n] == want);
    }
}

TEST_CASE("the int4 weight is rounded to f16 before it is multiplied", "[kernels]") {
  Run run({.m = 1, .k = 32, .n = {1}, .group = 32}, {""}, Elem::F16, Elem::F32, Layout::Plain);
  store_f32(run.tensors["x"], 4, 1.0f);
  run.tensors["w"].as<std::uint32_t>()[0] = 7u << 16;
  store_f32(run.tensors["w_scale"], 0, 0.1f);
  contract(run.names, run.args());
  CHECK(run.tensors["y"].as<float>()[0] == 0.69970703125f);
}

TEST_CASE("a sample writes the elements of the whole", "[kernels]") {
  CanaryShape s{.m = 13, .k = 64, .n = {21}, .group = 32};
  Run run(s, {""}, Elem::F16, Elem::F16, Layout::Plain);
  test::fill(test::canaries(s).back(), s, run.names, run.tensors, run.scalars);
  Run some = run;
  contract(run.names, run.args());
  contract(some.names, some.args(5));
  auto places = dsl::sample_places(13 * 21, 5);
  CHECK(verify::compare(some.tensors["y"], run.tensors["y"], {}, places));
  CHECK(!verify::compare(some.tensors["y"], run.tensors["y"]));
  CHECK(contract_bounds(run.names, run.args(5)).at("y").value.size() == places.size());
}

TEST_CASE("generated inputs: one set of codes for every layout, scales of their own", "[kernels]") {
  const std::function<Tensor(Elem, std::vector<std::int64_t>, std::string_view)> random =
      [](Elem e, std::vector<std::int64_t> shape, std::string_view name) {
        Tensor t(e, std::move(shape));
        for (std::size_t i = 0; i < t.data.size(); ++i)
          t.data[i] =
              std::byte((i * 37 + i / 256 * 11 + std::hash<std::string_view>()(name)) & 0xbf);
        return t;
      };
  CanaryShape s{.m = 2, .k = 128, .n = {24, 16, 16}, .group = 64};
  for (Weights w : {Weights::Int4, Weights::Int8}) {
    s.weights = w;
    Run plain(s, qkv, Elem::F16, Elem::F16, Layout::Plain);
    Run image(s, qkv, Elem::F16, Elem::F16, Layout::Image);
    for (Run* run : {&plain, &image})
      for (auto& [name, t] : run->tensors) {
        bool special = contraction_input(run->names, {name, t, run->sizes, run->config, random});
        if (!special) t = random(t.elem, t.shape, name);
        bool expected = name.starts_with("w_scale") || (name[0] == 'w' && t.elem == Elem::U32);
        CHECK(special == expected);
      }
    contract(plain.names, plain.args());
    contract(image.names, image.args());
    for (const std::string& suffix : qkv) {
      CHECK(plain.tensors.at("y" + suffix).data == image.tensors.at("y" + suffix).data);
      if (w != Weights::Int4) continue;
      for (float scale : load_f32(plain.tensors.at("w_scale" + suffix))) CHECK(scale > 0);
    }
    if (w == Weights::Int4)
      CHECK(plain.tensors.at("w_scale_k").data != plain.tensors.at("w_scale_v").data);
  }
}

TEST_CASE("operations and groups are counted", "[kernels]") {
  Contraction c{.segments = qkv};
  CHECK(contraction_flops(c, {{"M", 2}, {"K", 10}, {"N_q", 4}, {"N_k", 1}, {"N_v", 1}}) == 240);
  CHECK(group_of(4096, 32) == 128);
  CHECK(group_of(80, 3) == 32);
  CHECK(group_of(8, 1) == 32);
  CHECK_THROWS_WITH(group_of(80, 4),
                    "4 rows of scales over K = 80; groups are of 32, 64, 128, "
                    "256 or K elements");
}
