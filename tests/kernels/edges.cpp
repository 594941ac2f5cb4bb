// SPDX-License-Identifier: Apache-2.0
// What kernels promise at the edges of arithmetic: infinities, NaN, ties, the largest numbers.
#include <algorithm>
#include <bit>
#include <catch2/catch.hpp>
#include <limits>

#include "ir/numerics.h"
#include "problem.h"

using namespace barline;
using test::Problem;

namespace {

constexpr double inf = std::numeric_limits<double>::infinity();
constexpr double largest = std::numeric_limits<float>::max();

/// One row of x through every schedule; check(y).
template <class Check>
void softmax_of(const std::vector<double>& x, Check check) {
  for (const ir::Schedule& s : test::entry("softmax").schedules) {
    auto d = static_cast<std::int64_t>(x.size());
    Problem p("softmax", ir::Elem::F32, s, {{"rows", 1}, {"d", d}});
    p.fill("x", [&](std::int64_t i) { return x[i]; });
    p.refer();
    INFO(p.config.label);
    check(p.get("y"));
  }
}

std::vector<double> row_of(double value, double last, int n = 600) {
  std::vector<double> v(n, value);
  v.back() = last;
  return v;
}

bool all_nan(const std::vector<float>& v) {
  return std::all_of(v.begin(), v.end(), [](float x) { return std::isnan(x); });
}

struct Best {
  float value;
  std::int32_t index;
};

Best argmax_of(const std::vector<double>& x) {
  Problem p("row_argmax", ir::Elem::F32, test::entry("row_argmax").schedules.front(),
            {{"rows", 1}, {"d", static_cast<std::int64_t>(x.size())}});
  p.fill("x", [&](std::int64_t i) { return x[i]; });
  p.refer();
  return {p.get("value")[0], p.tensors.at("index").as<std::int32_t>()[0]};
}

}  // namespace

TEST_CASE("softmax is NaN for a row with +infinity, a NaN or -infinity alone", "[kernels]") {
  softmax_of(row_of(1, inf), [](const auto& y) { CHECK(all_nan(y)); });
  softmax_of(row_of(1, NAN), [](const auto& y) { CHECK(all_nan(y)); });
  softmax_of(row_of(-inf, -inf), [](const auto& y) { CHECK(all_nan(y)); });
}

TEST_CASE("softmax gives a masked element no weight", "[kernels]") {
  softmax_of(row_of(-inf, 5), [](const auto& y) {
    CHECK(y.back() == 1);
    CHECK(y.front() == 0);
  });
  softmax_of(row_of(-largest, largest), [](const auto& y) {
    CHECK(y.back() == 1);
    CHECK(y.front() == 0);
  });
}

TEST_CASE("softmax of equal numbers is uniform, however large they are", "[kernels]") {
  for (double x : {0.0, 100.0, largest, -largest})
    softmax_of(row_of(x, x, 512), [](const auto& y) { CHECK(y.front() == 0x1p-9f); });
}

TEST_CASE("a NaN never wins row_argmax", "[kernels]") {
  Best b = argmax_of({NAN, -3, NAN, -2, NAN});
  CHECK(b.index == 3);
  CHECK(b.value == -2);
  b = argmax_of({NAN, NAN});
  CHECK(b.index == std::numeric_limits<std::int32_t>::max());
  CHECK(b.value == -inf);
}

TEST_CASE("the lowest index wins row_argmax, -0 and +0 being equal", "[kernels]") {
  CHECK(argmax_of({1, 7, 7, 3}).index == 1);
  CHECK(argmax_of({-0.0, 0.0}).index == 0);
  CHECK(argmax_of({-inf, -inf}).index == 0);
}

TEST_CASE("gelu is finite for every finite input", "[kernels]") {
  for (const char* name : {"gelu_erf", "gelu_tanh"}) {
    Problem halves(name, ir::Elem::F16, test::entry(name).schedules.front(), {{"n", 65536}});
    auto* x = halves.tensors.at("x").as<std::uint16_t>();
    for (int i = 0; i < 65536; ++i) x[i] = static_cast<std::uint16_t>(i);
    halves.refer();
    auto in = halves.get("x"), out = halves.get("y");
    for (int i = 0; i < 65536; ++i)
      if (std::isfinite(in[i]) && !std::isfinite(out[i])) FAIL(name << " of " << in[i]);

    const int n = 1 << 18;
    Problem floats(name, ir::Elem::F32, test::entry(name).schedules.front(), {{"n", n}});
    floats.fill("x", [](std::int64_t i) {
      return std::bit_cast<float>(static_cast<std::uint32_t>(i * 16411));
    });
    floats.refer();
    in = floats.get("x"), out = floats.get("y");
    for (int i = 0; i < n; ++i)
      if (std::isfinite(in[i]) && !std::isfinite(out[i])) FAIL(name << " of " << in[i]);
  }
}

TEST_CASE("zeros stay zeros: no kernel divides by a vanished norm", "[kernels]") {
  for (const char* name : {"rms_norm", "layer_norm"}) {
    Problem p(name, ir::Elem::BF16, test::entry(name).schedules.front(), {{"rows", 1}, {"d", 64}});
    p.fill("x", [](std::int64_t) { return 0; });
    if (p.tensors.contains("b")) p.fill("b", [](std::int64_t) { return 0; });
    p.refer();
    for (float y : p.get("y")) CHECK(y == 0);
  }
  Problem q("rms_norm_quant_q8", ir::Elem::BF16, test::entry("rms_norm_quant_q8").schedules.front(),
            {{"rows", 1}, {"d", 64}, {"groups", 2}});
  q.fill("x", [](std::int64_t) { return 0; });
  q.fill("r", [](std::int64_t i) { return i < 32 ? 0 : 1; });
  q.refer();
  CHECK(q.get("scale")[0] == 0);
  CHECK(q.get("scale")[1] > 0);
  CHECK(q.get("q")[0] == 0);
}

TEST_CASE("dequant_s8 equals plain conversion for every byte", "[kernels]") {
  Problem p("dequant_s8", ir::Elem::F32, test::entry("dequant_s8").schedules.front(),
            {{"rows", 1}, {"d", 256}});
  p.fill("q", [](std::int64_t i) { return static_cast<double>(i - 128); });
  p.set("scale", 0, 1);
  auto lowered = p.simulated(true);
  for (int i = 0; i < 256; ++i) CHECK(lowered.at("y").as<float>()[i] == i - 128);
}
