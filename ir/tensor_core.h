// SPDX-License-Identifier: Apache-2.0
// The arithmetic of sm_90's mma.sync, bit for bit.
#pragma once

#include <cstdint>

#include "ir/type.h"

namespace barline::ir {

/// One element of A * B + C: a row of A and a column of B, `n` elements of type F16 or BF16 each,
/// n at most 16.
float mma_dot(Elem e, const std::uint16_t* a, const std::uint16_t* b, int n, float c);

/// mma_dot for every element of a fragment: `a` is 16 rows of n, `b` 8 columns of n, `c` and `d`
/// are 16 rows of 8. `d` may be `c`.
void mma_tile(Elem e, const std::uint16_t* a, const std::uint16_t* b, int n, const float* c,
              float* d);

/// One element of A * B + C on signed bytes.
std::int32_t mma_dot_s8(const std::int8_t* a, const std::int8_t* b, int n, std::int32_t c);

}  // namespace barline::ir
