// SPDX-License-Identifier: Apache-2.0
// NumPy .npy files as tensors, so that any outside program can feed a kernel and judge its output.
//
//   element        dtype            element          dtype
//   f16 f32 f64    <f2 <f4 <f8      e4m3 e5m2        |u1, the bits
//   s8 .. s64      |i1 <i2 <i4 <i8  s4 u4 e2m1       |u1, two neighbours a byte, the first in the
//   u8 .. u64      |u1 <u2 <u4 <u8                   low half; the last dimension is halved
//   i1             |b1              bf16             <u2, the bits
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "ir/tensor.h"

namespace barline::tools {

/// Largest .npy file that is read, in bytes.
inline constexpr std::size_t max_npy_bytes = std::size_t{16} << 30;

/// The dtype that stands for an element type in a .npy file.
std::string_view npy_dtype(ir::Elem elem);

/// A tensor of `elem` out of the bytes of a .npy file (versions 1 to 3, C order, little endian).
/// Throws UsageError that names `file`, the rule and the fix.
ir::Tensor parse_npy(std::string_view bytes, const std::string& file, ir::Elem elem);
ir::Tensor read_npy(const std::string& path, ir::Elem elem);

/// The bytes of a version 1 file. Throws UsageError for a packed tensor with an odd last dimension.
std::string format_npy(const ir::Tensor& tensor);
void write_npy(const std::string& path, const ir::Tensor& tensor);

}  // namespace barline::tools
