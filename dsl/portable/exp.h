// SPDX-License-Identifier: Apache-2.0
// exp and exp2 in the operations of dsl/portable/ops.h. x = n ln 2 + r with |r| <= ln 2 / 2; a
// degree-6 minimax polynomial gives p = e^r; the result is p * 2^n. Adding 1.5 * 2^23 to a float
// rounds it to an integer and leaves that integer in the low bits, which become exponent fields.
#pragma once

#include "dsl/portable/ops.h"

namespace barline::dsl::portable {

namespace detail {

inline constexpr float round_magic = 0x1.8p23f;

/// 1.5 * 2^23 + bias + n, where n is x / ln 2 rounded.
template <class F>
F exponent_of_exp(const F& x, float bias) {
  return fma(x, constant(x, 0x1.715476p+0f), constant(x, round_magic + bias));
}

/// x - n ln 2 for `biased` = 1.5 * 2^23 + bias + n.
template <class F>
F remainder_of_exp(const F& x, const F& biased, float bias) {
  auto n = biased - constant(x, round_magic + bias);
  auto r = fma(n, constant(x, -0x1.62e430p-1f), x);
  return fma(n, constant(x, 0x1.05c610p-29f), r);
}

/// (e^r - 1 - r) / r^2 for |r| <= ln 2 / 2.
template <class F>
F tail_of_exp(const F& r) {
  return polynomial(r, 0x1.fffffcp-2f, 0x1.555492p-3f, 0x1.5558b0p-5f, 0x1.12398ep-7f,
                    0x1.6a4d34p-10f);
}

/// e^r.
template <class F>
F exp_of_remainder(const F& r) {
  auto one = constant(r, 1.0f);
  return fma(fma(tail_of_exp(r), r, one), r, one);
}

/// p * 2^n for n in [-252, 254], rounded once; `biased` carries a bias of 254. Two factors, so that
/// neither leaves the normal range: the first product is exact.
template <class F>
F scale_by_exponent(const F& p, const F& biased) {
  auto field = bitcast_u32(biased);
  auto first = (field << 22) & constant(field, uint32_t{0xff800000});
  auto second = (field << 23) - first;
  return p * bitcast_f32(first) * bitcast_f32(second);
}

/// e^x * 2^(bias - 127), where that and its neighbours are normal.
template <class F>
F exp_biased(const F& x, float bias) {
  auto biased = exponent_of_exp(x, bias);
  return exp_of_remainder(remainder_of_exp(x, biased, bias)) *
         bitcast_f32(bitcast_u32(biased) << 23);
}

}  // namespace detail

/// e^x for every x. Above the range n stays at 129 and the polynomial grows to infinity.
template <class F>
F exp(const F& x) {
  auto bounded = at_least(x, -104.0f);
  auto most = constant(x, detail::round_magic + 254.0f + 129.0f);
  auto biased = min(detail::exponent_of_exp(bounded, 254.0f), most);
  auto r = detail::remainder_of_exp(bounded, biased, 254.0f);
  return detail::scale_by_exponent(detail::exp_of_remainder(r), biased);
}

/// e^x for x <= 0 (or NaN): the bits of exp(x), in fewer operations. For softmax.
template <class F>
F exp_nonpositive(const F& x) {
  return detail::exp_biased(at_least(x, -104.0f), 191.0f) * constant(x, 0x1p-64f);
}

/// 2^x for every x; exact for integral x.
template <class F>
F exp2(const F& x) {
  auto bounded = at_least(x, -151.0f);
  auto magic = constant(x, detail::round_magic + 254.0f);
  auto biased = min(bounded + magic, constant(x, detail::round_magic + 254.0f + 129.0f));
  auto r = bounded - (biased - magic);
  auto p = polynomial(r, 1.0f, 0x1.62e430p-1f, 0x1.ebfbdcp-3f, 0x1.c6af7ap-5f, 0x1.3b2dd4p-7f,
                      0x1.5f0952p-10f, 0x1.417872p-13f);
  return detail::scale_by_exponent(p, biased);
}

}  // namespace barline::dsl::portable
