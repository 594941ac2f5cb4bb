// SPDX-License-Identifier: Apache-2.0
// Operands of the output projection's references.
#pragma once

#include <random>

#include "kernels/reference/wo.h"

namespace barline::test {

using Matrix = formats::Nvfp4Matrix<formats::ScaleOrder::Linear>;
constexpr ir::e4m3_t one{0x38};

/// Codes and scales of 0.
inline Matrix matrix(std::int64_t n, std::int64_t k, float global) {
  return {ir::Tensor(ir::Elem::E2M1, {n, k}), formats::LinearScales(n, k / formats::nvfp4_group),
          global};
}

/// Random codes, scales with denormals and zeros but neither NaN nor a sign.
inline Matrix random_matrix(std::int64_t n, std::int64_t k, float global, unsigned seed = 1) {
  std::mt19937 engine(seed);
  Matrix w = matrix(n, k, global);
  for (std::byte& b : w.codes.data) b = std::byte(engine());
  for (std::int64_t row = 0; row < n; ++row)
    for (std::int64_t g = 0; g < k / formats::nvfp4_group; ++g)
      w.scales.set(row, g, {static_cast<std::uint8_t>(engine() % 0x7f)});
  return w;
}

inline ir::Tensor random_x(std::int64_t batch, std::int64_t k) {
  std::mt19937 engine(5);
  std::normal_distribution<float> normal;
  ir::Tensor x(ir::Elem::BF16, {batch, k});
  for (std::int64_t i = 0; i < x.count(); ++i)
    x.as<std::uint16_t>()[i] = ir::num::to_bf16(normal(engine)).bits;
  return x;
}

/// Elements of 32 bits that differ.
inline int differing(const ir::Tensor& a, const ir::Tensor& b) {
  int n = 0;
  for (std::int64_t i = 0; i < a.count(); ++i)
    n += a.as<std::uint32_t>()[i] != b.as<std::uint32_t>()[i];
  return n;
}

}  // namespace barline::test
