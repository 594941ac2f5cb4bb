// SPDX-License-Identifier: Apache-2.0
// The operations of dsl/portable/ops.h on the host: thin structs around float, int32_t and
// uint32_t. Compile with -ffp-contract=off. dsl/portable/math.h instantiates the portable functions
// on these for plain floats.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>

#include "ir/numerics.h"

namespace barline::dsl::portable::host {

using B = bool;

struct I {
  int32_t v;
};
struct U {
  uint32_t v;
};
struct F {
  float v;
};

inline F constant(F, float v) { return {v}; }
inline I constant(I, int32_t v) { return {v}; }
inline U constant(U, uint32_t v) { return {v}; }

inline F operator+(F a, F b) { return {a.v + b.v}; }
inline F operator-(F a, F b) { return {a.v - b.v}; }
inline F operator*(F a, F b) { return {a.v * b.v}; }
inline F operator/(F a, F b) { return {a.v / b.v}; }
inline F operator-(F a) { return {-a.v}; }
inline F fma(F a, F b, F c) { return {ir::num::fused(a.v, b.v, c.v)}; }
inline F sqrt(F a) { return {std::sqrt(a.v)}; }
inline F abs(F a) { return {ir::num::abs(a.v)}; }
inline F min(F a, F b) { return {ir::num::min(a.v, b.v)}; }
inline F max(F a, F b) { return {ir::num::max(a.v, b.v)}; }

inline I operator+(I a, I b) { return {ir::num::add(a.v, b.v)}; }
inline I operator-(I a, I b) { return {ir::num::sub(a.v, b.v)}; }
inline I operator*(I a, I b) { return {ir::num::mul(a.v, b.v)}; }
inline I operator&(I a, I b) { return {a.v & b.v}; }
inline I operator|(I a, I b) { return {a.v | b.v}; }
inline I operator^(I a, I b) { return {a.v ^ b.v}; }
inline I operator<<(I a, int n) { return {ir::num::shl(a.v, uint32_t(n))}; }
inline I operator>>(I a, int n) { return {ir::num::shr(a.v, uint32_t(n))}; }
inline I operator<<(I a, U n) { return {ir::num::shl(a.v, n.v)}; }
inline I operator>>(I a, U n) { return {ir::num::shr(a.v, n.v)}; }

inline U operator+(U a, U b) { return {a.v + b.v}; }
inline U operator-(U a, U b) { return {a.v - b.v}; }
inline U operator*(U a, U b) { return {a.v * b.v}; }
inline U operator&(U a, U b) { return {a.v & b.v}; }
inline U operator|(U a, U b) { return {a.v | b.v}; }
inline U operator^(U a, U b) { return {a.v ^ b.v}; }
inline U operator<<(U a, int n) { return {ir::num::shl(a.v, uint32_t(n))}; }
inline U operator>>(U a, int n) { return {ir::num::shr(a.v, uint32_t(n))}; }
inline U operator<<(U a, U n) { return {ir::num::shl(a.v, n.v)}; }
inline U operator>>(U a, U n) { return {ir::num::shr(a.v, n.v)}; }
inline U mul_hi(U a, U b) { return {ir::num::mul_hi(a.v, b.v)}; }

inline B operator<(F a, F b) { return a.v < b.v; }
inline B operator<=(F a, F b) { return a.v <= b.v; }
inline B operator>(F a, F b) { return a.v > b.v; }
inline B operator>=(F a, F b) { return a.v >= b.v; }
inline B operator==(F a, F b) { return a.v == b.v; }
inline B operator!=(F a, F b) { return a.v != b.v; }
inline B operator<(I a, I b) { return a.v < b.v; }
inline B operator>=(I a, I b) { return a.v >= b.v; }
inline B operator==(I a, I b) { return a.v == b.v; }
inline B operator!=(I a, I b) { return a.v != b.v; }
inline B operator<(U a, U b) { return a.v < b.v; }
inline B operator>=(U a, U b) { return a.v >= b.v; }
inline B operator==(U a, U b) { return a.v == b.v; }
inline B operator!=(U a, U b) { return a.v != b.v; }

inline F select(B p, F a, F b) { return p ? a : b; }
inline I select(B p, I a, I b) { return p ? a : b; }
inline U select(B p, U a, U b) { return p ? a : b; }

// A GPU's NaN is always the canonical one, so its bits are too.
inline I bitcast_s32(F a) { return {std::bit_cast<int32_t>(ir::num::canonical(a.v))}; }
inline U bitcast_u32(F a) { return {std::bit_cast<uint32_t>(ir::num::canonical(a.v))}; }
inline I bitcast_s32(U a) { return {int32_t(a.v)}; }
inline U bitcast_u32(I a) { return {uint32_t(a.v)}; }
inline F bitcast_f32(I a) { return {std::bit_cast<float>(a.v)}; }
inline F bitcast_f32(U a) { return {std::bit_cast<float>(a.v)}; }
inline F to_f32(I a) { return {static_cast<float>(a.v)}; }
inline F to_f32(U a) { return {static_cast<float>(a.v)}; }

}  // namespace barline::dsl::portable::host
