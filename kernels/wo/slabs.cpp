// SPDX-License-Identifier: Apache-2.0
#include "kernels/wo/slabs.h"

#include <algorithm>
#include <bit>

#include "kernels/wo/words.h"

namespace barline::kernels {
namespace {

using formats::nvfp4_group;
using formats::Nvfp4Matrix;
using formats::ScaleOrder;

constexpr std::uint8_t sign = 8;  // of a code

/// A weight's word and place in it, and the byte of its scale.
struct Place {
  std::int64_t word = 0, scale_byte = 0;
  int element = 0;
};
Place place_in(const Slabs& slabs, const SlabPlace& at) {
  const Slabs::Run run = slabs.run_of(at.slab);
  const std::int64_t lane = at.warp * 32 + at.lane;
  const std::int64_t of_run = lane * run.slabs + at.slab - run.first;
  return {slabs.codes_at(at.slab) + lane * Slabs::lane_words + at.code / 8,
          slabs.scales_at(run) * 4 + of_run * 2 + at.code / nvfp4_group,
          static_cast<int>(at.code % 8)};
}

/// visit(n, k, place in the block's row of the image) for every weight.
template <class Visit>
void each_weight(std::int64_t n_all, std::int64_t k_all, std::int64_t rows, const Slabs& slabs,
                 const PlaceOf& place_of, Visit visit) {
  for (std::int64_t n = 0; n < n_all; ++n)
    for (std::int64_t k = 0; k < k_all; ++k)
      visit(n, k, n / rows, place_in(slabs, place_of(n % rows, k)));
}

}  // namespace

Slabs::Run Slabs::run_of(std::int64_t slab) const {
  constexpr std::uint64_t most = 8;
  for (std::int64_t first = 0;;) {
    const auto left = static_cast<std::uint64_t>(count - first);
    const auto run = static_cast<std::int64_t>(std::min(most, std::bit_floor(left)));
    if (slab < first + run) return {first, run};
    first += run;
  }
}

std::int64_t Slabs::codes_at(std::int64_t slab) const {
  const Run run = run_of(slab);
  return scales_at(run) + warps * (run.slabs * warp_scales + (slab - run.first) * warp_codes);
}

template <ScaleOrder Order>
ir::Tensor pack_slabs(const Nvfp4Matrix<Order>& w, std::int64_t rows, const Slabs& slabs,
                      const PlaceOf& place_of) {
  ir::Tensor image(ir::Elem::U32, {w.n() / rows, slabs.words()});
  each_weight(w.n(), w.k(), rows, slabs, place_of,
              [&](std::int64_t n, std::int64_t k, std::int64_t block, const Place& at) {
                auto* words = image.as<std::uint32_t>() + block * image.shape[1];
                const ir::e4m3_t scale = w.scales.at(n, k / nvfp4_group);
                const std::uint8_t size = to_ue5m3(scale);
                std::uint8_t code = w.code(n, k).bits ^ (scale.bits >> 7 ? sign : 0);
                if (size == 0) code &= sign;
                set_code(words[at.word], at.element, {code});
                reinterpret_cast<std::uint8_t*>(words)[at.scale_byte] = size;
              });
  return image;
}
template ir::Tensor pack_slabs(const Nvfp4Matrix<ScaleOrder::Linear>&, std::int64_t, const Slabs&,
                               const PlaceOf&);
template ir::Tensor pack_slabs(const Nvfp4Matrix<ScaleOrder::Swizzled>&, std::int64_t, const Slabs&,
                               const PlaceOf&);

Nvfp4Matrix<ScaleOrder::Linear> unpack_slabs(const ir::Tensor& image, std::int64_t n_all,
                                             std::int64_t k_all, std::int64_t rows,
                                             const Slabs& slabs, const PlaceOf& place_of) {
  Nvfp4Matrix<ScaleOrder::Linear> w{ir::Tensor(ir::Elem::E2M1, {n_all, k_all}),
                                    formats::LinearScales(n_all, k_all / nvfp4_group)};
  each_weight(
      n_all, k_all, rows, slabs, place_of,
      [&](std::int64_t n, std::int64_t k, std::int64_t block, const Place& at) {
        const auto* words = image.as<std::uint32_t>() + block * image.shape[1];
        formats::set_e2m1(w.codes.data.data(), n * k_all + k, code_at(words[at.word], at.element));
        w.scales.set(n, k / nvfp4_group,
                     from_ue5m3(reinterpret_cast<const std::uint8_t*>(words)[at.scale_byte]));
      });
  return w;
}

}  // namespace barline::kernels
