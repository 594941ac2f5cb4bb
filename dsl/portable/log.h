// SPDX-License-Identifier: Apache-2.0
// log and log2 in the operations of dsl/portable/ops.h: x = m * 2^e with m in [2/3, 4/3), a
// degree-10 minimax polynomial in f = m - 1, then e added in one fma.
#pragma once

#include <bit>
#include <limits>

#include "dsl/portable/ops.h"

namespace barline::dsl::portable {

namespace detail {

/// x = (1 + f) * 2^e for finite x > 0; f is exact, in [-1/3, 1/3).
template <class F>
struct Normalised {
  F f, e;
};

template <class F>
Normalised<F> normalise(const F& x) {
  auto subnormal = x < constant(x, 0x1p-126f);
  auto y = select(subnormal, x * constant(x, 0x1p23f), x);
  auto bits = bitcast_s32(y);
  auto field = (bits - constant(bits, int32_t{0x3f2aaaab})) & constant(bits, int32_t(0xff800000));
  auto shift = select(subnormal, constant(x, -23.0f), constant(x, 0.0f));
  auto e = fma(to_f32(field), constant(x, 0x1p-23f), shift);
  return {bitcast_f32(bits - field) - constant(x, 1.0f), e};
}

/// `value` for finite x > 0, otherwise what a logarithm has there.
template <class F>
F log_or_edge(const F& x, const F& value) {
  constexpr float inf = std::numeric_limits<float>::infinity();
  auto infinity = constant(x, inf);
  auto zero = constant(x, 0.0f);
  auto nan = constant(x, std::bit_cast<float>(0x7fffffff));
  auto edge = select(x == zero, constant(x, -inf), nan);
  return select(x > zero, select(x < infinity, value, infinity), edge);
}

}  // namespace detail

/// ln x: -infinity at 0, NaN below.
template <class F>
F log(const F& x) {
  auto [f, e] = detail::normalise(x);
  auto q = polynomial(f, -0.5f, 0x1.555506p-2f, -0x1.fffefap-3f, 0x1.99d05ap-3f, -0x1.559c2ap-3f,
                      0x1.1ed482p-3f, -0x1.f33d4cp-4f, 0x1.1e718ep-3f, -0x1.07a796p-3f);
  return detail::log_or_edge(x, fma(e, constant(x, 0x1.62e430p-1f), fma(f * f, q, f)));
}

/// log2 x: -infinity at 0, NaN below; exact for powers of two.
template <class F>
F log2(const F& x) {
  auto [f, e] = detail::normalise(x);
  auto q = polynomial(f, 0x1.715476p+0f, -0x1.715476p-1f, 0x1.ec7188p-2f, -0x1.7154a4p-2f,
                      0x1.2764aep-2f, -0x1.ec8b2ap-3f, 0x1.a403fap-3f, -0x1.6c174ep-3f,
                      0x1.822968p-3f, -0x1.6b6e9ep-3f);
  return detail::log_or_edge(x, fma(f, q, e));
}

}  // namespace barline::dsl::portable
