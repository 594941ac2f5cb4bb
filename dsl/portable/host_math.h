// SPDX-License-Identifier: Apache-2.0
// The portable functions for plain floats: the same templates on the host's operations, so a
// reference has the bits of the simulator and of a GPU. A NaN result is the canonical NaN.
#pragma once

#include "dsl/portable/host.h"
#include "dsl/portable/math.h"

namespace barline::dsl::portable {

inline float exp(float x) { return ir::num::canonical(exp(host::F{x}).v); }
inline float exp_nonpositive(float x) { return ir::num::canonical(exp_nonpositive(host::F{x}).v); }
inline float exp2(float x) { return ir::num::canonical(exp2(host::F{x}).v); }
inline float log(float x) { return ir::num::canonical(log(host::F{x}).v); }
inline float log2(float x) { return ir::num::canonical(log2(host::F{x}).v); }
inline float sin(float x) { return ir::num::canonical(sin(host::F{x}).v); }
inline float cos(float x) { return ir::num::canonical(cos(host::F{x}).v); }
inline float rsqrt(float x) { return ir::num::canonical(rsqrt(host::F{x}).v); }
inline float tanh(float x) { return ir::num::canonical(tanh(host::F{x}).v); }
inline float sigmoid(float x) { return ir::num::canonical(sigmoid(host::F{x}).v); }
inline float silu(float x) { return ir::num::canonical(silu(host::F{x}).v); }
inline float erf(float x) { return ir::num::canonical(erf(host::F{x}).v); }
inline float gelu_erf(float x) { return ir::num::canonical(gelu_erf(host::F{x}).v); }
inline float gelu_tanh(float x) { return ir::num::canonical(gelu_tanh(host::F{x}).v); }

}  // namespace barline::dsl::portable
