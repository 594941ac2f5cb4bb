// SPDX-License-Identifier: Apache-2.0
// int4 weights on the host, in the layout that every kernel has as its interface, and as the
// register image (ir/packing.h) that a schedule may ask for.
//
//   words   u32 [N, K/8]              word k/8 of row n; code k at bits 4 (k mod 8), two's
//   complement scales  f16 [ceil(K/group), N]    w(n, k) = rn_f16(code * scale): the contract
#pragma once

#include "ir/half.h"
#include "ir/tensor.h"

namespace barline::kernels {

/// Throws std::invalid_argument unless the group is 32, 64, 128, 256 or K, and K a multiple of 8.
void check_int4(std::int64_t k, std::int64_t group);

struct Int4Weights {
  std::int64_t n = 0, k = 0, group = 0;
  ir::Tensor words;
  ir::Tensor scales;

  Int4Weights() = default;
  /// Codes and scales of 0. Throws std::invalid_argument as check_int4 does.
  Int4Weights(std::int64_t n, std::int64_t k, std::int64_t group);

  std::int64_t groups() const { return scales.shape[0]; }
  int code(std::int64_t row, std::int64_t at) const;
  /// `code` is in -8 .. 7.
  void set_code(std::int64_t row, std::int64_t at, int code);
  ir::f16_t scale(std::int64_t row, std::int64_t at) const;
  void set_scale(std::int64_t row, std::int64_t of_group, float value);
  /// rn_f16(code * scale).
  ir::f16_t value(std::int64_t row, std::int64_t at) const;
};

/// Code `at` of a row of words.
constexpr int code_of(const std::uint32_t* row, std::int64_t at) {
  return static_cast<std::int32_t>(row[at / 8] << (28 - 4 * (at % 8))) >> 28;
}
/// rn_f16(code * scale).
constexpr ir::f16_t dequantised(int code, ir::f16_t scale) {
  return ir::num::to_f16(static_cast<float>(code) * ir::num::to_f32(scale));
}

/// The register image of the words; codes of 0 up to a whole unit of 64 along k.
ir::Tensor pack(const Int4Weights& weights);
ir::Tensor pack_int4_words(const ir::Tensor& words);
/// The words of a register image.
ir::Tensor unpack_int4_words(const ir::Tensor& image, std::int64_t n, std::int64_t k);

}  // namespace barline::kernels
