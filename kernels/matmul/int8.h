// SPDX-License-Identifier: Apache-2.0
// int8 weights and activations on the host, in the layouts that every kernel has as its interface,
// and weights as the register image (ir/packing.h) that a schedule may ask for.
//
//   weights      s8 [K, N] row-major    scales f32 [N] (a column each) or [1]
//   activations  s8 [M, K] row-major    scales f32 [M] (a row each)
#pragma once

#include "ir/tensor.h"

namespace barline::kernels {

/// Codes with their scales: a matrix in s8.
struct Int8Matrix {
  ir::Tensor codes;   ///< s8, two axes
  ir::Tensor scales;  ///< f32, one axis

  Int8Matrix() = default;
  Int8Matrix(std::int64_t rows, std::int64_t columns, std::int64_t scales)
      : codes(ir::Elem::S8, {rows, columns}), scales(ir::Elem::F32, {scales}) {}
  std::int64_t rows() const { return codes.shape[0]; }
  std::int64_t columns() const { return codes.shape[1]; }
};

/// The register image of weights s8 [K, N]; codes of 0 up to a whole unit of 64 along k.
ir::Tensor pack_int8(const ir::Tensor& codes);
/// s8 [K, N] of a register image.
ir::Tensor unpack_int8(const ir::Tensor& image, std::int64_t n, std::int64_t k);

}  // namespace barline::kernels
