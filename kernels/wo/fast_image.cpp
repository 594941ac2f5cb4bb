// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <stdexcept>

#include "kernels/reference/wo_fast.h"
#include "kernels/wo/fast.h"

namespace barline::kernels {
namespace {

using formats::nvfp4_group;
using formats::Nvfp4Matrix;
using formats::ScaleOrder;

PlaceOf places(std::int64_t k_all, Fast blocks) {
  return [=](std::int64_t row, std::int64_t k) -> SlabPlace {
    const std::int64_t of_warp = k_all / Fast::warps, in_warp = k % of_warp;
    const std::int64_t chunks = of_warp / Fast::chunk_k, chunk = in_warp / Fast::chunk_k;
    const std::int64_t tile = row / Fast::tile_rows, pass = tile / blocks.tiles;
    const std::int64_t in_chunk = in_warp % Fast::chunk_k;
    return {.slab = (pass * chunks + chunk) * blocks.tiles + tile % blocks.tiles,
            .warp = k / of_warp,
            .lane = row % Fast::tile_rows * 4 + in_chunk / Slabs::lane_codes,
            .code = in_chunk % Slabs::lane_codes};
  };
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
  for (std::int64_t n = 0; n < w.n(); ++n)
    for (std::int64_t g = 0; g < w.k() / nvfp4_group; ++g) reference::wo_fast_scale(w, n, g);
  return pack_slabs(w, blocks.rows(), blocks.slabs(w.k()), places(w.k(), blocks));
}
template ir::Tensor pack_fast(const Nvfp4Matrix<ScaleOrder::Linear>&, Fast);
template ir::Tensor pack_fast(const Nvfp4Matrix<ScaleOrder::Swizzled>&, Fast);

Nvfp4Matrix<ScaleOrder::Linear> unpack_fast(const ir::Tensor& image, std::int64_t n, std::int64_t k,
                                            Fast blocks) {
  check(n, k, blocks);
  return unpack_slabs(image, n, k, blocks.rows(), blocks.slabs(k), places(k, blocks));
}

}  // namespace barline::kernels
