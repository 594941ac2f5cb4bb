// SPDX-License-Identifier: Apache-2.0
// The arithmetic of sm_90's mma.sync and wgmma, bit for bit; measured on an H200, where every case
// of bench/results/*-tensor-core-model.json agrees.
//
// f16 and bf16 with f32 sums (m16n8k16, m16n8k8; wgmma m64nNk16, A in registers or in shared
// memory): one sum of all products and c, in no order. wgmmas on one accumulator, whether in one
// group or in several in flight, are such sums one after another in the order of their issue; one
// that leaves its accumulator out has c = +0.
// 1. A number is significand * 2^exponent as its fields say: subnormal numbers have the exponent
//    of the smallest normal one. A product's significand and exponent are those of its factors
//    multiplied and added, exact and not normalised (1.5 * 1.5 is 2.25 * 2^0).
// 2. E is the largest exponent of c and the products, zeros left out, and at least -133.
// 3. Each term is truncated toward zero to a multiple of 2^(E - 25); then the sum is exact.
// 4. The sum is truncated toward zero to a f32, subnormal ones included. From 2^128 on it is
//    infinite. A sum that is or becomes zero is +0, whatever the signs of its terms.
// 5. A NaN, infinity times zero, and infinities of both signs give the NaN 0x7fffffff; otherwise
//    an infinite term gives that infinity. Finite products never overflow by themselves.
// Hence terms may be permuted and zero products added without a change to any bit; but two sums of
// 8 are not one of 16.
//
// s8 with s32 sums (m16n8k32; wgmma m64nNk32): exact modulo 2^32.
#pragma once

#include <cstdint>

#include "ir/type.h"

namespace barline::ir {

/// One element of A * B + C: a row of A and a column of B, `n` elements of type F16 or BF16 each,
/// n at most 16.
float mma_dot(Elem e, const std::uint16_t* a, const std::uint16_t* b, int n, float c);

/// mma_dot for a whole fragment, several times quicker an element: `a` is 16 rows of n, `b` 8
/// columns of n, `c` and `d` are 16 rows of 8. `d` may be `c`.
void mma_tile(Elem e, const std::uint16_t* a, const std::uint16_t* b, int n, const float* c,
              float* d);

/// One element of A * B + C on signed bytes.
std::int32_t mma_dot_s8(const std::int8_t* a, const std::int8_t* b, int n, std::int32_t c);

}  // namespace barline::ir
