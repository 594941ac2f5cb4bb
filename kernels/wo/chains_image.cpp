// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <stdexcept>

#include "kernels/wo/chains.h"
#include "kernels/wo/words.h"

namespace barline::kernels {
namespace {

using formats::nvfp4_group;
using formats::Nvfp4Matrix;
using formats::ScaleOrder;

/// Word of a row that holds k's code, and the byte of its scale.
struct ChainPlace {
  std::int64_t word = 0, scale_byte = 0;
  int element = 0;
};
ChainPlace place_of(std::int64_t n, std::int64_t k, std::int64_t k_all) {
  const std::int64_t of_slot = k_all / Chains::slots, slot = k / of_slot, in_slot = k % of_slot;
  const std::int64_t row = n % Chains::rows, warp = row / 8 * 4 + slot / 4;
  const std::int64_t lane = row % 8 * 4 + slot % 4, in_slab = in_slot % Chains::slab_k;
  const std::int64_t first =
      in_slot / Chains::slab_k * Chains::slab_words + warp * Chains::warp_words;
  return {first + lane * 4 + in_slab / 8, (first + 128) * 4 + lane * 2 + in_slab / nvfp4_group,
          static_cast<int>(in_slab % 8)};
}

void check(std::int64_t n, std::int64_t k) {
  if (n % Chains::rows == 0 && k % Chains::k_multiple == 0) return;
  throw std::invalid_argument(
      fmt::format("weights [{}, {}] as chains; N is a multiple of {} and K of {}", n, k,
                  Chains::rows, Chains::k_multiple));
}

std::int64_t columns(std::int64_t k) { return k / Chains::k_multiple * Chains::slab_words; }

}  // namespace

template <ScaleOrder Order>
ir::Tensor pack_chains(const Nvfp4Matrix<Order>& w) {
  check(w.n(), w.k());
  ir::Tensor image(ir::Elem::U32, {w.n() / Chains::rows, columns(w.k())});
  for (std::int64_t n = 0; n < w.n(); ++n)
    for (std::int64_t k = 0; k < w.k(); ++k) {
      const ChainPlace at = place_of(n, k, w.k());
      auto* row = image.as<std::uint32_t>() + n / Chains::rows * image.shape[1];
      set_code(row[at.word], at.element, w.code(n, k));
      reinterpret_cast<std::uint8_t*>(row)[at.scale_byte] = w.scales.at(n, k / nvfp4_group).bits;
    }
  return image;
}
template ir::Tensor pack_chains(const Nvfp4Matrix<ScaleOrder::Linear>&);
template ir::Tensor pack_chains(const Nvfp4Matrix<ScaleOrder::Swizzled>&);

Nvfp4Matrix<ScaleOrder::Linear> unpack_chains(const ir::Tensor& image, std::int64_t n,
                                              std::int64_t k) {
  check(n, k);
  Nvfp4Matrix<ScaleOrder::Linear> w{ir::Tensor(ir::Elem::E2M1, {n, k}),
                                    formats::LinearScales(n, k / nvfp4_group)};
  for (std::int64_t row = 0; row < n; ++row)
    for (std::int64_t j = 0; j < k; ++j) {
      const ChainPlace at = place_of(row, j, k);
      const auto* words = image.as<std::uint32_t>() + row / Chains::rows * image.shape[1];
      formats::set_e2m1(w.codes.data.data(), row * k + j, code_at(words[at.word], at.element));
      w.scales.set(row, j / nvfp4_group,
                   {reinterpret_cast<const std::uint8_t*>(words)[at.scale_byte]});
    }
  return w;
}

}  // namespace barline::kernels
