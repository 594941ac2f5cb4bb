// SPDX-License-Identifier: Apache-2.0
// sin and cos for every f32 in the operations of dsl/portable/ops.h. Below 2^16 the argument loses
// its quadrants to three fmas; above, to an exact integer product with the bits of 2/pi (Payne and
// Hanek). Minimax polynomials on [-pi/4, pi/4] do the rest.
#pragma once

#include <cstdint>

#include "dsl/portable/ops.h"

namespace barline::dsl::portable {

namespace detail {

/// x = quadrant * pi/2 + r, |r| <= pi/4 and a little; a u32 quadrant counts mod 4.
template <class F, class U>
struct Reduced {
  F r;
  U quadrant;
};

/// For |x| < 2^16. The first fma is exact; pi/2 in three parts is good to 2^-72.
template <class F>
auto reduce_small(const F& x) {
  auto magic = constant(x, 0x1.8p23f);
  auto biased = fma(x, constant(x, 0x1.45f306p-1f), magic);
  auto n = biased - magic;
  auto r = fma(n, constant(x, -0x1.921fb4p+0f), x);
  r = fma(n, constant(x, -0x1.4442d0p-24f), r);
  r = fma(n, constant(x, -0x1.846988p-48f), r);
  auto quadrant = bitcast_u32(biased);
  return Reduced<F, decltype(quadrant)>{r, quadrant};
}

/// 96 bits of 2/pi from `offset` on (0 <= offset < 128), first bits in w0. The stream starts with
/// 32 zeros, then the bits after the binary point.
template <class U>
struct Window {
  U w0, w1, w2;
};
template <class U>
Window<U> two_over_pi(const U& offset) {
  auto c = [&](uint32_t v) { return constant(offset, v); };
  auto far = (offset & c(64)) != c(0);
  auto odd = (offset & c(32)) != c(0);
  auto a0 = select(far, c(0x4e441529), c(0));
  auto a1 = select(far, c(0xfc2757d1), c(0xa2f9836e));
  auto a2 = select(far, c(0xf534ddc0), c(0x4e441529));
  auto a3 = select(far, c(0xdb629599), c(0xfc2757d1));
  auto a4 = select(far, c(0x3c439041), c(0xf534ddc0));
  auto left = offset & c(31);
  auto right = c(32) - left;  // 32 shifts everything out
  auto join = [&](const U& high, const U& low) { return (high << left) | (low >> right); };
  auto t0 = select(odd, a1, a0), t1 = select(odd, a2, a1);
  auto t2 = select(odd, a3, a2), t3 = select(odd, a4, a3);
  return {join(t0, t1), join(t1, t2), join(t2, t3)};
}

/// For |x| >= 2. x = m * 2^(E - 158) with a 32-bit m and x's exponent field E, so the bits of 2/pi
/// before bit E - 160 contribute multiples of 4 quadrants; 96 from there on leave an error of
/// 2^-62. Infinity gives r = NaN.
template <class F>
auto reduce_large(const F& x) {
  auto bits = bitcast_u32(x);
  auto c = [&](uint32_t v) { return constant(bits, v); };
  auto offset = ((bits >> 23) & c(255)) - c(128);
  auto m = (bits << 8) | c(0x80000000);
  auto [w0, w1, w2] = two_over_pi(offset);

  auto middle = m * w1;
  auto low = middle + mul_hi(m, w2);
  auto carry = select(low < middle, c(1), c(0));
  auto high = m * w0 + mul_hi(m, w1) + carry;  // quadrants: 2 bits, then the fraction
  auto quadrant = (high + c(0x20000000)) >> 30;

  // The signed distance from the nearest quadrant in units of 2^-64; its size in two exact floats.
  auto head = (high << 2) | (low >> 30);
  auto tail = low << 2;
  auto below = head >= c(0x80000000);
  auto flip = select(below, c(0xffffffff), c(0));
  head = head ^ flip;
  tail = tail ^ flip;
  auto upper = to_f32(head & c(0xffffff00));
  auto lower = to_f32((head << 24) | (tail >> 8));
  auto rest = fma(upper, constant(x, -0x1.777a5cp-57f), lower * constant(x, 0x1.921fb6p-56f));
  auto r = fma(upper, constant(x, 0x1.921fb6p-32f), rest);

  r = fma(x, constant(x, 0.0f), r);
  auto zero = constant(x, 0.0f);
  r = select(below, zero - r, r);
  auto negative = x < zero;
  r = select(negative, zero - r, r);
  quadrant = select(negative, c(0) - quadrant, quadrant);
  return Reduced<F, decltype(quadrant)>{r, quadrant};
}

/// sin(r + quadrant * pi/2) without the sign of a zero r.
template <class F, class U>
F sin_of_reduced(const F& r, const U& quadrant) {
  auto s = r * r;
  auto sine = fma(polynomial(s, -0x1.555556p-3f, 0x1.111174p-7f, -0x1.a05930p-13f, 0x1.7c1a28p-19f),
                  r * s, r);
  auto cosine = polynomial(s, 1.0f, -0.5f, 0x1.55554ap-5f, -0x1.6c0c1ap-10f, 0x1.99e0eep-16f);
  auto zero = constant(quadrant, uint32_t{0});
  auto value = select((quadrant & constant(quadrant, uint32_t{1})) != zero, cosine, sine);
  auto negated = constant(r, 0.0f) - value;
  return select((quadrant & constant(quadrant, uint32_t{2})) != zero, negated, value);
}

/// sin(x + turn * pi/2) without the sign of a zero x.
template <class F>
F sin_turned(const F& x, uint32_t turn) {
  auto at = [&](const auto& reduced) {
    return sin_of_reduced(reduced.r, reduced.quadrant + constant(reduced.quadrant, turn));
  };
  return choose(
      abs(x) >= constant(x, 0x1p16f), [&] { return at(reduce_large(x)); },
      [&] { return at(reduce_small(x)); });
}

}  // namespace detail

/// sin x, x in radians; NaN at infinity; keeps the sign of zero.
template <class F>
F sin(const F& x) {
  return select(x == constant(x, 0.0f), x, detail::sin_turned(x, 0));
}

/// cos x, x in radians; NaN at infinity.
template <class F>
F cos(const F& x) {
  return detail::sin_turned(x, 1);
}

}  // namespace barline::dsl::portable
