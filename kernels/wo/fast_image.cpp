// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <algorithm>
#include <bit>
#include <stdexcept>

#include "kernels/reference/wo_fast.h"
#include "kernels/wo/fast.h"
#include "kernels/wo/words.h"

namespace barline::kernels {
namespace {

using formats::nvfp4_group;
using formats::Nvfp4Matrix;
using formats::ScaleOrder;
/// Word of a block that holds k's code, and the byte of its scale.
struct FastPlace {
  std::int64_t word = 0, scale_byte = 0;
  int element = 0;
};
FastPlace place_of(std::int64_t n, std::int64_t k, std::int64_t k_all, Fast blocks) {
  const std::int64_t of_warp = k_all / Fast::warps, warp = k / of_warp, in_warp = k % of_warp;
  const std::int64_t chunks = k_all / Fast::k_multiple, chunk = in_warp / Fast::chunk_k;
  const std::int64_t row = n % blocks.rows(), tile = row / Fast::tile_rows;
  const std::int64_t slab =
      (tile / blocks.tiles * chunks + chunk) * blocks.tiles + tile % blocks.tiles;
  const std::int64_t in_chunk = in_warp % Fast::chunk_k, in_lane = in_chunk % Fast::lane_k;
  const std::int64_t lane = row % Fast::tile_rows * 4 + in_chunk / Fast::lane_k;
  const auto [first, slabs] = run_of(slab, blocks.slabs(k_all));
  const std::int64_t scales = first * Fast::slab_words, codes = scales + slabs * Fast::slab_scales;
  return {codes + (slab - first) * Fast::slab_codes + (warp * 32 + lane) * 4 + in_lane / 8,
          scales * 4 + ((warp * 32 + lane) * slabs + slab - first) * 2 + in_lane / nvfp4_group,
          static_cast<int>(in_lane % 8)};
}

void check(std::int64_t n, std::int64_t k, Fast blocks) {
  if (n % blocks.rows() == 0 && k % Fast::k_multiple == 0) return;
  throw std::invalid_argument(
      fmt::format("weights [{}, {}] in fast order; N is a multiple of {} and K of {}", n, k,
                  blocks.rows(), Fast::k_multiple));
}

std::int64_t words(std::int64_t k, Fast blocks) { return blocks.slabs(k) * Fast::slab_words; }

}  // namespace

ScaleRun run_of(std::int64_t slab, std::int64_t slabs) {
  constexpr std::uint64_t most = 8;
  for (std::int64_t first = 0;;) {
    const auto left = static_cast<std::uint64_t>(slabs - first);
    const auto run = static_cast<std::int64_t>(std::min(most, std::bit_floor(left)));
    if (slab < first + run) return {first, run};
    first += run;
  }
}

template <ScaleOrder Order>
ir::Tensor pack_fast(const Nvfp4Matrix<Order>& w, Fast blocks) {
  check(w.n(), w.k(), blocks);
  ir::Tensor image(ir::Elem::U32, {w.n() / blocks.rows(), words(w.k(), blocks)});
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
