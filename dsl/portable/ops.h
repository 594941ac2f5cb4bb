// SPDX-License-Identifier: Apache-2.0
// The operations that portable math is written in. Every template of dsl/portable works on a value
// type F and names only these; dsl/portable/host.h provides them for the host's floats and the DSL
// for its values, found by argument-dependent lookup. Each is exact or rounded once to nearest
// even, so a formula gives the same bits in the simulator, in a reference and on every GPU.
//
// Types, as the operations return them (the templates say `auto`): F an f32, I an s32, U a u32,
// B a truth value. X is F, I or U.
//
//   constant(x, v)                 v as a value of x's type; v is a float, int32_t or uint32_t
//   a + b  a - b  a * b  a / b     F; each rounded. I, U: + - *, wrapping
//   -a                             F: the sign bit flips
//   fma(a, b, c)                   F: a * b + c, rounded once
//   sqrt(a)  abs(a)                F: IEEE square root; the sign bit cleared
//   min(a, b)  max(a, b)           F: of a number and a NaN the number
//   a < b  <=  >  >=  ==  !=       F, I, U -> B; with a NaN only != is true
//   p & q  p | q                   B
//   select(p, a, b)                X: a where p, else b
//   run a & b  a | b  a ^ b            I, U a << n  a >> n                 I, U; n an int or a U; n
//   >= 32 gives 0 (a negative I >> n: -1) mul_hi(a, b)                   U: the high half of the
//   full product bitcast_s32(x)  bitcast_u32(x)  bitcast_f32(i)     the same 32 bits as I, U or F
//   to_f32(i)                      I or U -> F
//
// A template may read bits of a float that can be a NaN only where the result does not depend on
// them: the payload is the canonical one on a GPU and in the host's bitcast.
#pragma once

#include <concepts>
#include <cstdint>

namespace barline::dsl::portable {

/// x where x >= low, else low; a NaN stays one (max would return the number).
template <class F>
F at_least(const F& x, float low) {
  auto bound = constant(x, low);
  return select(x < bound, bound, x);
}

/// The value of f() where p, else that of g(), both pure: a branch on the host, a select elsewhere.
template <class B, class Then, class Else>
auto choose(const B& p, const Then& f, const Else& g) {
  if constexpr (std::same_as<B, bool>)
    return p ? f() : g();
  else
    return select(p, f(), g());
}

/// c[0] + x c[1] + ... + x^n c[n] by Horner's rule: one fma a coefficient.
template <class F, class... Rest>
F polynomial(const F& x, float c0, Rest... rest) {
  if constexpr (sizeof...(rest) == 0)
    return constant(x, c0);
  else
    return fma(polynomial(x, static_cast<float>(rest)...), x, constant(x, c0));
}

}  // namespace barline::dsl::portable
