// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <stdexcept>

#include "kernels/wo/chains.h"

namespace barline::kernels {
namespace {

using formats::Nvfp4Matrix;
using formats::ScaleOrder;

PlaceOf places(std::int64_t k_all) {
  return [=](std::int64_t row, std::int64_t k) -> SlabPlace {
    const std::int64_t of_slot = k_all / Chains::slots, slot = k / of_slot, in_slot = k % of_slot;
    return {.slab = in_slot / Slabs::lane_codes,
            .warp = row / 8 * 4 + slot / 4,
            .lane = row % 8 * 4 + slot % 4,
            .code = in_slot % Slabs::lane_codes};
  };
}

void check(std::int64_t n, std::int64_t k) {
  if (n % Chains::rows == 0 && k % Chains::k_multiple == 0) return;
  throw std::invalid_argument(
      fmt::format("weights [{}, {}] as chains; N is a multiple of {} and K of {}", n, k,
                  Chains::rows, Chains::k_multiple));
}

}  // namespace

template <ScaleOrder Order>
ir::Tensor pack_chains(const Nvfp4Matrix<Order>& w) {
  check(w.n(), w.k());
  return pack_slabs(w, Chains::rows, Chains::slabs(w.k()), places(w.k()));
}
template ir::Tensor pack_chains(const Nvfp4Matrix<ScaleOrder::Linear>&);
template ir::Tensor pack_chains(const Nvfp4Matrix<ScaleOrder::Swizzled>&);

Nvfp4Matrix<ScaleOrder::Linear> unpack_chains(const ir::Tensor& image, std::int64_t n,
                                              std::int64_t k) {
  check(n, k);
  return unpack_slabs(image, n, k, Chains::rows, Chains::slabs(k), places(k));
}

}  // namespace barline::kernels
