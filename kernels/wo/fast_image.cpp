// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <cmath>
#include <stdexcept>

#include "kernels/reference/wo_fast.h"
#include "kernels/wo/fast.h"
#include "kernels/wo/words.h"

namespace barline::kernels {
namespace {

using formats::nvfp4_group;
using formats::Nvfp4Matrix;
using formats::ScaleOrder;
namespace num = ir::num;

/// UE5M3: (8 + low three bits) * 2^(high five bits - 13), and 0.
constexpr int bias = 10, mantissa = 3, significand = 1 << mantissa;

std::uint8_t to_ue5m3(ir::e4m3_t scale) {
  const float value = num::to_f32(scale);
  if (value == 0) return 0;
  int exponent = 0;
  const float half = std::frexp(value, &exponent);  // value = half * 2^exponent, half in [0.5, 1)
  const int bits = static_cast<int>(half * 2 * significand) - significand;
  return static_cast<std::uint8_t>((exponent - 1 + bias) << mantissa | bits);
}

ir::e4m3_t from_ue5m3(std::uint8_t byte) {
  if (byte == 0) return {0};
  const int bits = significand + byte % significand, exponent = byte / significand;
  return num::to_e4m3(std::ldexp(static_cast<float>(bits), exponent - bias - mantissa));
}

/// Word of a block that holds k's code, and the byte of its scale.
struct FastPlace {
  std::int64_t word = 0, scale_byte = 0;
  int element = 0;
};
FastPlace place_of(std::int64_t n, std::int64_t k, std::int64_t k_all, Fast blocks) {
  const std::int64_t of_warp = k_all / Fast::warps, warp = k / of_warp, in_warp = k % of_warp;
  const std::int64_t chunk = in_warp / Fast::chunk_k, in_chunk = in_warp % Fast::chunk_k;
  const std::int64_t row = n % blocks.rows(), slab = chunk * blocks.tiles + row / Fast::tile_rows;
  const std::int64_t lane = row % Fast::tile_rows * 4 + in_chunk / Fast::lane_k;
  const std::int64_t in_lane = in_chunk % Fast::lane_k;
  const std::int64_t first = slab * Fast::slab_words + warp * Fast::warp_words;
  return {first + lane * 4 + in_lane / 8, (first + 128) * 4 + lane * 2 + in_lane / nvfp4_group,
          static_cast<int>(in_lane % 8)};
}

void check(std::int64_t n, std::int64_t k, Fast blocks) {
  if (n % blocks.rows() == 0 && k % Fast::k_multiple == 0) return;
  throw std::invalid_argument(
      fmt::format("weights [{}, {}] in fast order; N is a multiple of {} and K of {}", n, k,
                  blocks.rows(), Fast::k_multiple));
}

}  // namespace

template <ScaleOrder Order>
ir::Tensor pack_fast(const Nvfp4Matrix<Order>& w, Fast blocks) {
  check(w.n(), w.k(), blocks);
  ir::Tensor image(ir::Elem::U32,
                   {w.n() / blocks.rows(), w.k() / Fast::k_multiple * blocks.chunk_words()});
  for (std::int64_t n = 0; n < w.n(); ++n)
    for (std::int64_t k = 0; k < w.k(); ++k) {
      const std::uint8_t scale = to_ue5m3(reference::wo_fast_scale(w, n, k / nvfp4_group));
      const FastPlace at = place_of(n, k, w.k(), blocks);
      auto* block = image.as<std::uint32_t>() + n / blocks.rows() * image.shape[1];
      if (scale != 0) set_code(block[at.word], at.element, w.code(n, k));
      reinterpret_cast<std::uint8_t*>(block)[at.scale_byte] = scale;
    }
  return image;
}
template ir::Tensor pack_fast(const Nvfp4Matrix<ScaleOrder::Linear>&, Fast);
template ir::Tensor pack_fast(const Nvfp4Matrix<ScaleOrder::Swizzled>&, Fast);

Nvfp4Matrix<ScaleOrder::Linear> unpack_fast(const ir::Tensor& image, std::int64_t n, std::int64_t k,
                                            Fast blocks) {
  check(n, k, blocks);
  Nvfp4Matrix<ScaleOrder::Linear> w{ir::Tensor(ir::Elem::E2M1, {n, k}),
                                    formats::LinearScales(n, k / nvfp4_group)};
  for (std::int64_t row = 0; row < n; ++row)
    for (std::int64_t j = 0; j < k; ++j) {
      const FastPlace at = place_of(row, j, k, blocks);
      const auto* block = image.as<std::uint32_t>() + row / blocks.rows() * image.shape[1];
      formats::set_e2m1(w.codes.data.data(), row * k + j, code_at(block[at.word], at.element));
      w.scales.set(row, j / nvfp4_group,
                   from_ue5m3(reinterpret_cast<const std::uint8_t*>(block)[at.scale_byte]));
    }
  return w;
}

}  // namespace barline::kernels
