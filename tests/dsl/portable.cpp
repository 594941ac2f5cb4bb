// SPDX-License-Identifier: Apache-2.0
// Portable math on the host: error bounds on a sample of all floats, edges exactly. The full
// measurement is bench/portable_math_ulp.cpp.
#include <bit>
#include <catch2/catch.hpp>
#include <cmath>
#include <initializer_list>
#include <limits>

#include "dsl/portable/host_math.h"

namespace portable = barline::dsl::portable;

namespace {

using Map = float (*)(float);
using Maps = std::initializer_list<Map>;

constexpr float inf = std::numeric_limits<float>::infinity();
constexpr float largest = std::numeric_limits<float>::max();
constexpr float smallest = std::numeric_limits<float>::denorm_min();

uint32_t bits(float x) { return std::bit_cast<uint32_t>(x); }

struct Function {
  const char* name;
  Map portable;
  double (*reference)(double);
  double bound;  // ulp
};

const Function functions[] = {
    {"exp", portable::exp, std::exp, 1},
    {"exp2", portable::exp2, std::exp2, 1},
    {"log", portable::log, std::log, 1},
    {"log2", portable::log2, std::log2, 1.5},
    {"sin", portable::sin, std::sin, 1.75},
    {"cos", portable::cos, std::cos, 1.75},
    {"rsqrt", portable::rsqrt, [](double x) { return 1 / std::sqrt(x); }, 1.5},
    {"tanh", portable::tanh, std::tanh, 1.5},
    {"sigmoid", portable::sigmoid, [](double x) { return 1 / (1 + std::exp(-x)); }, 1.75},
    {"silu", portable::silu, [](double x) { return x / (1 + std::exp(-x)); }, 2},
    {"erf", portable::erf, std::erf, 1.25},
};

/// |got - want| in units of f32's last place at a finite `want`.
double ulps(float got, double want) {
  const int exponent = want == 0 ? -126 : std::max(std::ilogb(want), -126);
  return std::fabs(got - want) * std::ldexp(1.0, 23 - exponent);
}

/// The largest error over every `stride`-th float with a finite result.
double worst_error(const Function& f, uint32_t stride) {
  double worst = 0;
  for (uint64_t i = 0; i < uint64_t{1} << 32; i += stride) {
    const float x = std::bit_cast<float>(static_cast<uint32_t>(i));
    const double want = f.reference(x);
    const float got = f.portable(x);
    if (std::isnan(want)) {
      if (bits(got) != 0x7fffffff) return inf;
    } else if (std::fabs(want) >= 0x1.ffffffp127) {
      if (std::fabs(got) != inf) return inf;
    } else {
      worst = std::fmax(worst, ulps(got, want));
    }
  }
  return worst;
}

}  // namespace

TEST_CASE("portable functions stay within their bound") {
  for (const auto& f : functions) {
    INFO(f.name);
    CHECK(worst_error(f, 28657) <= f.bound);
  }
}

TEST_CASE("the bits of the portable functions are pinned") {
  // Recorded results and caches depend on them: a change here is a change of every kernel's bits.
  const auto digest = [](Map f) {
    uint64_t hash = 0xcbf29ce484222325;
    for (uint64_t i = 0; i < uint64_t{1} << 32; i += 524287)
      hash = (hash ^ bits(f(std::bit_cast<float>(uint32_t(i))))) * 0x100000001b3;
    for (float x = -12; x < 12; x += 0x1.8p-8f) hash = (hash ^ bits(f(x))) * 0x100000001b3;
    return hash;
  };
  CHECK(digest(portable::exp) == 0x0f435296a6bef3f1);
  CHECK(digest(portable::exp2) == 0xf7a2d6e771c89feb);
  CHECK(digest(portable::log) == 0x5befabbc60f5b662);
  CHECK(digest(portable::log2) == 0xe9c04d5457eab751);
  CHECK(digest(portable::sin) == 0x522da1b0138a22be);
  CHECK(digest(portable::cos) == 0x38d7fd265dfcec73);
  CHECK(digest(portable::rsqrt) == 0x91827989a7ea90d8);
  CHECK(digest(portable::tanh) == 0x975cb2bef7d63dbd);
  CHECK(digest(portable::sigmoid) == 0xe1ce7a65380fc0f1);
  CHECK(digest(portable::silu) == 0xf0b988428a8a37fa);
  CHECK(digest(portable::erf) == 0x4f6123f7167627f3);
  CHECK(digest(portable::gelu_erf) == 0x56593b037181433a);
  CHECK(digest(portable::gelu_tanh) == 0xdd4b567852ae2ba2);
}

TEST_CASE("portable functions turn every NaN into the canonical one") {
  const Map all[] = {portable::exp,      portable::exp2,     portable::exp_nonpositive,
                     portable::log,      portable::log2,     portable::sin,
                     portable::cos,      portable::rsqrt,    portable::tanh,
                     portable::sigmoid,  portable::silu,     portable::erf,
                     portable::gelu_erf, portable::gelu_tanh};
  for (Map f : all)
    for (const uint32_t nan : {0x7fc00000u, 0xffc00000u, 0x7f800001u, 0xff812345u, 0x7fffffffu})
      CHECK(bits(f(std::bit_cast<float>(nan))) == 0x7fffffff);
}

TEST_CASE("portable functions are exact at zeros and infinities") {
  const auto is = [](float got, float want) { return bits(got) == bits(want); };
  CHECK(is(portable::exp(-inf), 0.0f));
  CHECK(is(portable::exp(inf), inf));
  CHECK(is(portable::exp(0.0f), 1.0f));
  CHECK(is(portable::exp(-0.0f), 1.0f));
  CHECK(is(portable::exp(largest), inf));
  CHECK(is(portable::exp(-largest), 0.0f));
  CHECK(is(portable::exp_nonpositive(-inf), 0.0f));
  CHECK(is(portable::exp2(-inf), 0.0f));
  CHECK(is(portable::exp2(inf), inf));
  CHECK(is(portable::exp2(128.0f), inf));
  CHECK(is(portable::exp2(-150.0f), 0.0f));
  CHECK(is(portable::log(0.0f), -inf));
  CHECK(is(portable::log(-0.0f), -inf));
  CHECK(is(portable::log(inf), inf));
  CHECK(is(portable::log(1.0f), 0.0f));
  CHECK(is(portable::log(-1.0f), std::bit_cast<float>(0x7fffffff)));
  CHECK(is(portable::log2(-0.0f), -inf));
  CHECK(is(portable::log2(inf), inf));
  CHECK(is(portable::sin(-0.0f), -0.0f));
  CHECK(is(portable::sin(0.0f), 0.0f));
  CHECK(is(portable::cos(-0.0f), 1.0f));
  CHECK(is(portable::sin(inf), std::bit_cast<float>(0x7fffffff)));
  CHECK(is(portable::cos(-inf), std::bit_cast<float>(0x7fffffff)));
  CHECK(is(portable::rsqrt(0.0f), inf));
  CHECK(is(portable::rsqrt(-0.0f), -inf));
  CHECK(is(portable::rsqrt(inf), 0.0f));
  CHECK(is(portable::rsqrt(-1.0f), std::bit_cast<float>(0x7fffffff)));
  CHECK(is(portable::tanh(-0.0f), -0.0f));
  CHECK(is(portable::tanh(inf), 1.0f));
  CHECK(is(portable::tanh(-inf), -1.0f));
  CHECK(is(portable::sigmoid(-inf), 0.0f));
  CHECK(is(portable::sigmoid(inf), 1.0f));
  CHECK(is(portable::sigmoid(-0.0f), 0.5f));
  CHECK(is(portable::silu(-inf), -0.0f));
  CHECK(is(portable::silu(inf), inf));
  CHECK(is(portable::silu(-0.0f), -0.0f));
  CHECK(is(portable::erf(-0.0f), -0.0f));
  CHECK(is(portable::erf(inf), 1.0f));
  CHECK(is(portable::erf(-inf), -1.0f));
  CHECK(is(portable::gelu_erf(-inf), -0.0f));
  CHECK(is(portable::gelu_erf(inf), inf));
  CHECK(is(portable::gelu_erf(-0.0f), -0.0f));
  CHECK(is(portable::gelu_tanh(-inf), -0.0f));
  CHECK(is(portable::gelu_tanh(inf), inf));
  CHECK(is(portable::gelu_tanh(-0.0f), -0.0f));
}

TEST_CASE("exp2 and log2 are exact at powers of two") {
  for (int n = -149; n <= 127; ++n) {
    const float power = std::ldexp(1.0f, n);
    CHECK(portable::exp2(static_cast<float>(n)) == power);
    CHECK(portable::log2(power) == static_cast<float>(n));
  }
}

TEST_CASE("exp_nonpositive has the bits of exp") {
  bool same = true;
  for (uint32_t i = 0x80000000; i < 0xff800000; i += 4099) {
    const float x = std::bit_cast<float>(i);
    same = same && bits(portable::exp_nonpositive(x)) == bits(portable::exp(x));
  }
  CHECK(same);
}

TEST_CASE("sin, tanh and erf are odd, cos is even, bit for bit") {
  bool odd = true, even = true;
  for (uint32_t i = 0; i < 0x7f800000; i += 8191) {
    const float x = std::bit_cast<float>(i);
    for (Map f : Maps{portable::sin, portable::tanh, portable::erf})
      odd = odd && bits(f(-x)) == (bits(f(x)) ^ 0x80000000);
    even = even && bits(portable::cos(-x)) == bits(portable::cos(x));
  }
  CHECK(odd);
  CHECK(even);
}

TEST_CASE("the hardest arguments of sin and cos") {
  // Close to multiples of pi / 2, and around the switch to the long reduction.
  for (const float x : {0x1.ddebdep119f, 0x1.6ac5b2p96f, 0x1.921fb6p0f, 0x1.921fb4p1f, 0x1p16f,
                        0x1.fffffep15f, 0x1.2d97c8p1f, 16367173.0f, largest}) {
    INFO(x);
    CHECK(ulps(portable::sin(x), std::sin(double{x})) <= 1.75);
    CHECK(ulps(portable::cos(x), std::cos(double{x})) <= 1.75);
  }
}

TEST_CASE("gelu is finite for every finite input and close to its definition") {
  for (const float x : {largest, -largest, 1e20f, -1e20f, 1e10f, -1e10f, smallest, -smallest})
    for (Map f : Maps{portable::gelu_erf, portable::gelu_tanh}) CHECK(std::isfinite(f(x)));
  CHECK(portable::gelu_erf(largest) == largest);
  CHECK(portable::gelu_tanh(largest) == largest);
  double worst_erf = 0, worst_tanh = 0;
  for (float x = -20; x < 20; x += 0x1p-9f) {
    const double d = x;
    const double by_erf = d / 2 * (1 + std::erf(d / std::sqrt(2.0)));
    const double inner = std::sqrt(2 / M_PI) * (d + 0.044715 * d * d * d);
    const double by_tanh = d / 2 * (1 + std::tanh(inner));
    worst_erf = std::fmax(worst_erf,
                          std::fabs(portable::gelu_erf(x) - by_erf) / std::fmax(1, std::fabs(d)));
    worst_tanh = std::fmax(
        worst_tanh, std::fabs(portable::gelu_tanh(x) - by_tanh) / std::fmax(1, std::fabs(d)));
  }
  CHECK(worst_erf < 0x1p-22);
  CHECK(worst_tanh < 0x1p-22);
}
