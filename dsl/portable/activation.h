// SPDX-License-Identifier: Apache-2.0
// rsqrt, tanh, sigmoid, erf and the activations built on them, in the operations of
// dsl/portable/ops.h. Each is finite for every finite argument and has its limit at the infinities.
#pragma once

#include "dsl/portable/exp.h"
#include "dsl/portable/ops.h"

namespace barline::dsl::portable {

/// 1 / sqrt(x): two rounded operations; infinity (of its sign) at zero, NaN below.
template <class F>
F rsqrt(const F& x) {
  return constant(x, 1.0f) / sqrt(x);
}

/// tanh x: an odd polynomial below 0.625, above 1 - 2 / (e^2x + 1); +-1 from 9.02 on.
template <class F>
F tanh(const F& x) {
  auto c = [&](float v) { return constant(x, v); };
  auto s = x * x;
  auto q = polynomial(s, -0x1.555532p-2f, 0x1.1106fap-3f, -0x1.b8368ep-5f, 0x1.5200cap-6f,
                      -0x1.7537fcp-8f);
  auto small = select(x == c(0.0f), x, fma(q, x * s, x));  // the fma loses the sign of -0

  auto size = abs(x);
  auto doubled = min(size, c(10.0f)) * c(2.0f);
  auto large = c(1.0f) - c(2.0f) / (detail::exp_biased(doubled, 127.0f) + c(1.0f));
  large = select(x < c(0.0f), c(0.0f) - large, large);
  return select(size >= c(0.625f), large, small);
}

/// 1 / (1 + e^-x). With z = e^-|x| and q = z / (1 + z) it is 1 - q, below zero z (1 - q): the error
/// of q fades with z, and the tail keeps its relative precision.
template <class F>
F sigmoid(const F& x) {
  auto one = constant(x, 1.0f);
  auto z = portable::exp_nonpositive(-abs(x));
  auto q = z / (one + z);
  auto whole = select(x < constant(x, 0.0f), z, one);
  return fma(-q, whole, whole);
}

/// x * sigmoid(x), its subnormal tail included; -0 at -infinity. From -1 on x / (1 + e^-x).
/// Below, with z = e^x, x z (1 - z / (1 + z)) as in sigmoid: x z is x 2^n (1 + u), one rounding
/// instead of two, scaled by 2^64.
template <class F>
F silu(const F& x) {
  auto c = [&](float v) { return constant(x, v); };
  auto y = at_least(x, -112.0f);  // below: -0 in any case
  auto direct = y > c(-1.0f);
  auto a = max(select(direct, -y, y), c(-112.0f));
  auto biased = detail::exponent_of_exp(a, 191.0f);
  auto r = detail::remainder_of_exp(a, biased, 191.0f);
  auto u = fma(r * r, detail::tail_of_exp(r), r);  // e^r - 1
  auto power = bitcast_f32(bitcast_u32(biased) << 23);

  auto z = fma(power, u, power) * c(0x1p-64f);
  auto q = select(direct, y, z) / (c(1.0f) + z);
  auto scaled = y * power;
  auto product = fma(scaled, u, scaled);
  return select(direct, q, fma(-q, product, product) * c(0x1p-64f));
}

/// erf x: x times a polynomial below 0.922, above 1 - exp(polynomial); +-1 from 4 on.
template <class F>
F erf(const F& x) {
  auto c = [&](float v) { return constant(x, v); };
  auto q = polynomial(x * x, 0x1.06eba6p-3f, -0x1.8126e8p-2f, 0x1.ce1ab4p-4f, -0x1.b68e60p-6f,
                      0x1.4749c0p-8f, -0x1.3a46fap-11f);
  auto small = fma(q, x, x);

  auto size = abs(x);
  auto a = min(size, c(4.0f));
  auto log_erfc = fma(polynomial(a, -0x1.072d00p-3f, -0x1.458192p-1f, -0x1.aef550p-4f,
                                 0x1.76876cp-6f, -0x1.a42358p-9f, 0x1.be51b6p-13f),
                      a, -a);
  auto large = c(1.0f) - detail::exp_biased(log_erfc, 127.0f);
  large = select(x < c(0.0f), c(0.0f) - large, large);
  return select(size >= c(0.921875f), large, small);
}

/// x / 2 * (1 + erf(x / sqrt 2)); -0 at -infinity.
template <class F>
F gelu_erf(const F& x) {
  auto y = at_least(x, -16.0f);  // below: -0 in any case
  auto half = constant(x, 0.5f);
  return y * fma(half, portable::erf(y * constant(x, 0x1.6a09e6p-1f)), half);
}

/// x / 2 * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 x^3))); -0 at -infinity.
template <class F>
F gelu_tanh(const F& x) {
  auto y = at_least(x, -16.0f);  // below: -0 in any case
  auto half = constant(x, 0.5f);
  auto inner = y * fma(y * y, constant(x, 0x1.2444f2p-5f), constant(x, 0x1.988454p-1f));
  return y * fma(half, portable::tanh(inner), half);
}

}  // namespace barline::dsl::portable
