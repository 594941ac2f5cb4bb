// SPDX-License-Identifier: Apache-2.0
// Portable math for values of the device (f32, scalar or tile): the functions of dsl/portable, at
// most 2 ulp and the same bits in the simulator, in references and on every GPU. The hardware's
// approximations have names of their own in dsl/value.h.
#pragma once

#include "dsl/value.h"

namespace barline::dsl {

Value exp(Operand x);
/// exp(x) for x <= 0 or NaN: the same bits in fewer operations.
Value exp_nonpositive(Operand x);
Value exp2(Operand x);
Value log(Operand x);
Value log2(Operand x);
Value sin(Operand x);
Value cos(Operand x);
/// 1 / sqrt(x).
Value rsqrt(Operand x);
Value tanh(Operand x);
/// 1 / (1 + e^-x).
Value sigmoid(Operand x);
/// x * sigmoid(x).
Value silu(Operand x);
Value erf(Operand x);
/// x / 2 * (1 + erf(x / sqrt 2)).
Value gelu_erf(Operand x);
/// x / 2 * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 x^3))).
Value gelu_tanh(Operand x);

}  // namespace barline::dsl
