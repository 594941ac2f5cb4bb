// SPDX-License-Identifier: Apache-2.0
// NVFP4 weights on the host: w(n, k) = (code * block scale) * global scale in f32, each product
// rounded.
//
//   codes         e2m1 [N, K]           two a byte, even k in the low half
//   block scales  e4m3, one for 16 neighbours along k, in one of two orders:
//     linear      [N, K/16]
//     swizzled    [ceil(N/128), ceil(K/64) * 512]: tiles of 128 rows x 4 groups, 512 bytes each;
//                 within one, byte (n % 32) * 16 + (n / 32 % 4) * 4 + group % 4
//   global scale  one f32
//
// A scale is what its bits say: with a sign, NaN for 0x7f and 0xff. Quantisers write none of those
// for finite weights (UE4M3). The order is part of the type, so that one cannot pass for the other.
#pragma once

#include <array>
#include <optional>

#include "formats/e2m1.h"
#include "ir/tensor.h"

namespace barline::formats {

/// Weights that share a block scale.
inline constexpr std::int64_t nvfp4_group = 16;

enum class ScaleOrder : std::uint8_t { Linear, Swizzled };

/// Shape of the tensor that holds the scales of `rows` rows of `groups` groups.
constexpr std::array<std::int64_t, 2> scale_shape(ScaleOrder order, std::int64_t rows,
                                                  std::int64_t groups) {
  if (order == ScaleOrder::Linear) return {rows, groups};
  return {(rows + 127) / 128, (groups + 3) / 4 * 512};
}
/// Byte of that tensor that holds the scale of a row's group.
constexpr std::int64_t scale_offset(ScaleOrder order, std::int64_t groups, std::int64_t row,
                                    std::int64_t group) {
  if (order == ScaleOrder::Linear) return row * groups + group;
  const std::int64_t tile = row / 128 * ((groups + 3) / 4) + group / 4;
  return tile * 512 + row % 32 * 16 + row / 32 % 4 * 4 + group % 4;
}

/// Block scales in one order. Bytes of padding (rows to 128, groups to 4) are 0.
template <ScaleOrder Order>
class Nvfp4Scales {
 public:
  Nvfp4Scales() = default;
  Nvfp4Scales(std::int64_t rows, std::int64_t groups);
  /// The scales that a tensor holds. Throws std::invalid_argument unless it is e4m3 of this order's
  /// shape.
  Nvfp4Scales(ir::Tensor bytes, std::int64_t rows, std::int64_t groups);

  std::int64_t rows() const { return rows_; }
  std::int64_t groups() const { return groups_; }
  ir::e4m3_t at(std::int64_t row, std::int64_t group) const {
    return {bytes_.as<std::uint8_t>()[scale_offset(Order, groups_, row, group)]};
  }
  void set(std::int64_t row, std::int64_t group, ir::e4m3_t scale) {
    bytes_.as<std::uint8_t>()[scale_offset(Order, groups_, row, group)] = scale.bits;
  }
  /// As a kernel takes them.
  const ir::Tensor& tensor() const { return bytes_; }

 private:
  std::int64_t rows_ = 0, groups_ = 0;
  ir::Tensor bytes_{ir::Elem::E4M3, {0, 0}};
};
using LinearScales = Nvfp4Scales<ScaleOrder::Linear>;
using SwizzledScales = Nvfp4Scales<ScaleOrder::Swizzled>;

SwizzledScales swizzle(const LinearScales& scales);
LinearScales unswizzle(const SwizzledScales& scales);

/// (code * scale) * global: the first product is exact, the second rounded.
constexpr float nvfp4_value(ir::e2m1_t code, ir::e4m3_t scale, float global) {
  const float exact = ir::num::canonical(ir::num::to_f32(code) * ir::num::to_f32(scale));
  return ir::num::canonical(exact * global);
}

template <ScaleOrder Order>
struct Nvfp4Matrix {
  ir::Tensor codes{ir::Elem::E2M1, {0, 0}};
  Nvfp4Scales<Order> scales;
  float global_scale = 1;

  std::int64_t n() const { return codes.shape[0]; }
  std::int64_t k() const { return codes.shape[1]; }
  ir::e2m1_t code(std::int64_t row, std::int64_t at) const {
    return e2m1_at(codes.data.data(), row * k() + at);
  }
  float value(std::int64_t row, std::int64_t at) const {
    return nvfp4_value(code(row, at), scales.at(row, at / nvfp4_group), global_scale);
  }
};

/// Codes and scales of w [N, K] (f32, f16 or bf16), K a multiple of 16. A group's scale is
/// rn_e4m3(max|w| / (6 * global)), its codes rn_e2m1(w / (scale * global)); where the scale rounds
/// to 0 the codes are 0, where the group has a weight that is not finite the scale is NaN. Without
/// `global_scale`: max|w| / (6 * 448) of all finite weights, so that no scale saturates. Throws
/// std::invalid_argument for another shape or type, or a global scale that is not positive and
/// finite.
Nvfp4Matrix<ScaleOrder::Linear> quantise_nvfp4(const ir::Tensor& w,
                                               std::optional<float> global_scale = {});

}  // namespace barline::formats
