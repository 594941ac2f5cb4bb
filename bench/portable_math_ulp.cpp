// SPDX-License-Identifier: Apache-2.0
// Measures the portable functions over f32 inputs against double references: the largest error in
// ulp and where it is. Alone, without the build system:
//   g++ -std=c++20 -O2 -ffp-contract=off -I. bench/portable_math_ulp.cpp -o portable_math_ulp
//   ./portable_math_ulp [every-nth-input=1] [function]
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "dsl/portable/host_math.h"

namespace portable = barline::dsl::portable;

namespace {

struct Function {
  const char* name;
  float (*portable)(float);
  double (*reference)(double);
  bool negative_only = false;
};

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }
double silu(double x) { return std::isinf(x) && x < 0 ? -0.0 : x / (1 + std::exp(-x)); }

constexpr Function functions[] = {
    {"exp", portable::exp, std::exp},
    {"exp_nonpositive", portable::exp_nonpositive, std::exp, true},
    {"exp2", portable::exp2, std::exp2},
    {"log", portable::log, std::log},
    {"log2", portable::log2, std::log2},
    {"sin", portable::sin, std::sin},
    {"cos", portable::cos, std::cos},
    {"rsqrt", portable::rsqrt, [](double x) { return 1 / std::sqrt(x); }},
    {"tanh", portable::tanh, std::tanh},
    {"sigmoid", portable::sigmoid, sigmoid},
    {"silu", portable::silu, silu},
    {"erf", portable::erf, std::erf},
};

/// |got - want| in units of f32's last place at `want`; edges that disagree count as infinite.
double ulps(float got, double want) {
  const float rounded = static_cast<float>(want);
  if (std::isnan(want)) return std::isnan(got) ? 0 : INFINITY;
  if (std::isinf(rounded) || std::isinf(got)) {
    if (got == rounded) return 0;
    if (std::isinf(want) || std::isnan(got)) return INFINITY;
    return std::fabs(std::fmin(std::fmax(got, -0x1p128), 0x1p128) - want) * 0x1p-104;
  }
  if (want == 0) return got == 0 && std::signbit(got) == std::signbit(want) ? 0 : INFINITY;
  const int exponent = std::max(std::ilogb(want), -126);
  return std::fabs(got - want) * std::ldexp(1.0, 23 - exponent);
}

void measure(const Function& f, uint64_t stride) {
  const auto start = std::chrono::steady_clock::now();
  double worst = 0;
  uint32_t at = 0;
  uint64_t inputs = 0;
  for (uint64_t i = 0; i < uint64_t{1} << 32; i += stride, ++inputs) {
    const auto bits = static_cast<uint32_t>(i);
    const float x = std::bit_cast<float>(bits);
    if (f.negative_only && x > 0) continue;
    const double error = ulps(f.portable(x), f.reference(x));
    if (error > worst || (std::isinf(error) && !std::isinf(worst))) worst = error, at = bits;
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  std::printf("%-16s %8.4f ulp at 0x%08x (%.9g), %llu inputs, %.0f s\n", f.name, worst, at,
              std::bit_cast<float>(at), static_cast<unsigned long long>(inputs), took.count());
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  const uint64_t stride = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 1;
  for (const auto& f : functions)
    if (argc <= 2 || !std::strcmp(argv[2], f.name)) measure(f, stride ? stride : 1);
}
