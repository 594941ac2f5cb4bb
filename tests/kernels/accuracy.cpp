// SPDX-License-Identifier: Apache-2.0
// References against independent computations in double, within stated bounds: a formula that a
// kernel and its reference share is judged here by another one.
#include <algorithm>
#include <catch2/catch.hpp>

#include "problem.h"

using namespace barline;
using test::Problem;

namespace {

constexpr double float_slack = 0x1p-19;  // roundings of f32 on the way: 32 of them, and a sum's

/// The worst |got - want| / bound, bound = |want| * (one rounding to the type + slack) + floor.
struct Worst {
  ir::Elem type;
  double slack = float_slack, floor = 0x1p-24;  // f16's smallest subnormal is 2^-24
  double ratio = 0;
  void operator()(double got, double want, double extra = 0) {
    double bound =
        std::fabs(want) * (1.001 * test::half_ulp(type) + slack) + floor + extra * float_slack;
    double r = std::fabs(got - want) / bound;
    ratio = r <= ratio ? ratio : r;  // a NaN shows
  }
};

Problem referred(const std::string& name, ir::Elem type, test::Sizes sizes) {
  Problem p(name, type, test::entry(name).schedules.front(), std::move(sizes));
  p.refer();
  return p;
}

template <class Check>
void for_each_type(const std::string& name, const test::Sizes& sizes, Check check) {
  for (ir::Elem type : test::entry(name).types) {
    Problem p = referred(name, type, sizes);
    Worst worst{type};
    check(p, worst);
    INFO(p.config.label);
    CHECK(worst.ratio <= 1);
  }
}

std::vector<double> widened(const std::vector<float>& v) { return {v.begin(), v.end()}; }

constexpr int rows = 3, d = 777;
const test::Sizes row_sizes = {{"rows", rows}, {"d", d}};

/// x / sqrt(mean(x^2) + eps) of one row.
std::vector<double> normalised(const float* x, int n) {
  double squares = 0;
  for (int i = 0; i < n; ++i) squares += double(x[i]) * x[i];
  std::vector<double> y(x, x + n);
  for (double& v : y) v /= std::sqrt(squares / n + 1e-6);
  return y;
}

}  // namespace

TEST_CASE("rms_norm against double", "[kernels]") {
  for_each_type("rms_norm", row_sizes, [](const Problem& p, Worst& worst) {
    auto x = p.get("x"), w = p.get("w"), y = p.get("y");
    for (int r = 0; r < rows; ++r) {
      auto want = normalised(&x[r * d], d);
      for (int i = 0; i < d; ++i) worst(y[r * d + i], want[i] * w[i]);
    }
  });
}

TEST_CASE("rms_norm_residual against double", "[kernels]") {
  for_each_type("rms_norm_residual", row_sizes, [](const Problem& p, Worst& worst) {
    auto x = p.get("x"), res = p.get("r"), w = p.get("w"), sum = p.get("sum"), y = p.get("y");
    for (int r = 0; r < rows; ++r) {
      auto want = normalised(&sum[r * d], d);
      for (int i = 0; i < d; ++i) {
        int at = r * d + i;
        worst(sum[at], double(x[at]) + res[at]);
        worst(y[at], want[i] * w[i]);
      }
    }
  });
}

TEST_CASE("rms_norm_quant_q8 against double", "[kernels]") {
  const int n = 192, groups = 6;
  test::Sizes sizes{{"rows", rows}, {"d", n}, {"groups", groups}};
  for_each_type("rms_norm_quant_q8", sizes, [&](const Problem& p, Worst& worst) {
    auto sum = p.get("sum"), w = p.get("w"), q = p.get("q"), scale = p.get("scale");
    for (int r = 0; r < rows; ++r) {
      auto y = normalised(&sum[r * n], n);
      for (int g = 0; g < groups; ++g) {
        double most = 0, largest_code = 0, step = scale[r * groups + g];
        for (int i = g * 32; i < g * 32 + 32; ++i) {
          most = std::max(most, std::fabs(y[i] *= w[i]));
          largest_code = std::max(largest_code, std::fabs(double(q[r * n + i])));
          CHECK(std::fabs(q[r * n + i] * step - y[i]) <= step * (0.5 + 0x1p-10));
        }
        worst(step, most / 127);
        CHECK(largest_code == 127);
      }
    }
  });
}

TEST_CASE("layer_norm against double", "[kernels]") {
  for_each_type("layer_norm", row_sizes, [](const Problem& p, Worst& worst) {
    auto x = p.get("x"), w = p.get("w"), b = p.get("b"), y = p.get("y");
    for (int r = 0; r < rows; ++r) {
      double mean = 0, var = 0;
      for (int i = 0; i < d; ++i) mean += x[r * d + i] / double(d);
      for (int i = 0; i < d; ++i) var += std::pow(x[r * d + i] - mean, 2) / d;
      for (int i = 0; i < d; ++i) {
        double scaled = (x[r * d + i] - mean) / std::sqrt(var + 1e-6) * w[i];
        worst(y[r * d + i], scaled + b[i], std::fabs(scaled) + std::fabs(w[i]));
      }
    }
  });
}

TEST_CASE("softmax against double, looping and in registers", "[kernels]") {
  for (const ir::Schedule& s : test::entry("softmax").schedules)
    for (ir::Elem type : test::entry("softmax").types) {
      Problem p("softmax", type, s, row_sizes);
      p.refer();
      auto x = p.get("x"), y = p.get("y");
      Worst worst{type};
      for (int r = 0; r < rows; ++r) {
        double total = 0;
        for (int i = 0; i < d; ++i) total += std::exp(double(x[r * d + i]));
        for (int i = 0; i < d; ++i) worst(y[r * d + i], std::exp(double(x[r * d + i])) / total);
      }
      INFO(p.config.label);
      CHECK(worst.ratio <= 1);
    }
}

TEST_CASE("elementwise kernels against double", "[kernels]") {
  const test::Sizes n{{"n", 4000}};
  for_each_type("vector_add", n, [](const Problem& p, Worst& worst) {
    auto a = p.get("a"), b = p.get("b"), y = p.get("y");
    for (std::size_t i = 0; i < y.size(); ++i) worst(y[i], double(a[i]) + b[i]);
  });
  for_each_type("silu_mul", n, [](const Problem& p, Worst& worst) {
    auto g = widened(p.get("gate"));
    auto up = p.get("up"), y = p.get("y");
    for (std::size_t i = 0; i < y.size(); ++i) worst(y[i], g[i] / (1 + std::exp(-g[i])) * up[i]);
  });
  for_each_type("gelu_erf", n, [](const Problem& p, Worst& worst) {
    auto x = widened(p.get("x"));
    auto y = p.get("y");
    for (std::size_t i = 0; i < y.size(); ++i)
      worst(y[i], x[i] / 2 * std::erfc(-x[i] / std::sqrt(2.0)), std::fabs(x[i]));
  });
  for_each_type("gelu_tanh", n, [](const Problem& p, Worst& worst) {
    auto x = widened(p.get("x"));
    auto y = p.get("y");
    for (std::size_t i = 0; i < y.size(); ++i) {
      double inner = std::sqrt(2 / M_PI) * (x[i] + 0.044715 * std::pow(x[i], 3));
      worst(y[i], x[i] / 2 * (1 + std::tanh(inner)), std::fabs(x[i]));
    }
  });
}

TEST_CASE("dequant_s8 is plain conversion times scale", "[kernels]") {
  for_each_type("dequant_s8", row_sizes, [](const Problem& p, Worst& worst) {
    auto y = p.get("y"), scale = p.get("scale");
    const auto* q = p.tensors.at("q").as<std::int8_t>();
    for (int i = 0; i < rows * d; ++i) worst(y[i], double(q[i]) * scale[i / d]);
  });
}

TEST_CASE("row_argmax finds the largest element, the first of equals", "[kernels]") {
  for (ir::Elem type : test::entry("row_argmax").types) {
    Problem p = referred("row_argmax", type, row_sizes);
    auto x = p.get("x"), value = p.get("value");
    const auto* index = p.tensors.at("index").as<std::int32_t>();
    for (int r = 0; r < rows; ++r) {
      auto best = std::max_element(&x[r * d], &x[r * d] + d);  // the first of equals
      CHECK(index[r] == best - &x[r * d]);
      CHECK(value[r] == *best);
    }
  }
}

TEST_CASE("transpose puts every element in its place", "[kernels]") {
  Problem p = referred("transpose", ir::Elem::F32, {{"rows", 5}, {"cols", 7}});
  auto x = p.get("x"), y = p.get("y");
  for (int r = 0; r < 5; ++r)
    for (int c = 0; c < 7; ++c) CHECK(y[c * 5 + r] == x[r * 7 + c]);
}
