// SPDX-License-Identifier: Apache-2.0
// Quantisers: symmetric, round to nearest even, the largest magnitude of a group on the last code.
// For tests, examples and weights that have no calibrated ones; GPTQ and AWQ come by importers.h.
#pragma once

#include "kernels/matmul/int4.h"
#include "kernels/matmul/int8.h"

namespace barline::kernels {

/// What a scale of int8 weights is for.
enum class ScaleOf { Column, Matrix };

/// int4 codes of w [K, N] (f32, f16 or bf16): scale = rn_f16(max|w| / 7) over `group` neighbours
/// along k of a column, code = rn(w / scale) within -8 .. 7; where the scale rounds to 0, codes 0.
/// Throws std::invalid_argument for a shape, group or element that does not fit.
Int4Weights quantise_int4(const ir::Tensor& w, std::int64_t group);

/// int8 codes of w [K, N]: scale = max|w| / 127 over a column or all of it.
Int8Matrix quantise_int8(const ir::Tensor& w, ScaleOf scale_of);

/// int8 codes of activations x [M, K], a scale a row.
Int8Matrix quantise_rows(const ir::Tensor& x);

}  // namespace barline::kernels
