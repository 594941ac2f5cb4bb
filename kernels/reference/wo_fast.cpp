// SPDX-License-Identifier: Apache-2.0
#include "kernels/reference/wo_fast.h"

#include <fmt/format.h>
#include <array>
#include <stdexcept>

#include "ir/numerics.h"
#include "ir/tensor_core.h"
#include "kernels/reference/wo.h"

namespace barline::kernels::reference {
namespace {

using formats::Nvfp4Matrix;
using formats::ScaleOrder;
using ir::Elem;
namespace num = ir::num;

constexpr std::int64_t fours = 4, warps = fours * fours, chunk = wo_fast_multiple / warps, word = 8,
                       words = 4, lanes = 4;
constexpr int products = 16;  // of one sum
/// Elements of a word that go to accumulators A and B.
constexpr std::array<std::array<int, 4>, 2> elements_of{{{0, 1, 4, 5}, {2, 3, 6, 7}}};

/// Row n as the tensor core takes it.
template <ScaleOrder Order>
void decode_row(const Nvfp4Matrix<Order>& w, std::int64_t n, std::vector<std::uint16_t>& row) {
  for (std::int64_t k = 0; k < w.k(); ++k) {
    const ir::e4m3_t scale = wo_fast_scale(w, n, k / formats::nvfp4_group);
    row[k] = num::to_bf16(num::to_f32(w.code(n, k)) * num::to_f32(scale) * 0x1p-7f).bits;
  }
}

/// One accumulator's sum over word j of the chunk that begins at `from`.
float sum_words(const std::uint16_t* x, const std::uint16_t* w, std::int64_t from, std::int64_t j,
                int accumulator, float c) {
  std::uint16_t a[products], b[products];
  int n = 0;
  for (std::int64_t lane = 0; lane < lanes; ++lane)
    for (int e : elements_of[accumulator]) {
      const std::int64_t k = from + lane * words * word + j * word + e;
      a[n] = x[k];
      b[n++] = w[k];
    }
  return ir::mma_dot(Elem::BF16, a, b, products, c);
}

float warp_part(const std::uint16_t* x, const std::uint16_t* w, std::int64_t first,
                std::int64_t last) {
  float acc[2] = {0, 0};
  for (std::int64_t from = first; from < last; from += chunk)
    for (std::int64_t j = 0; j < words; ++j)
      for (int i : {0, 1}) acc[i] = sum_words(x, w, from, j, i, acc[i]);
  return num::add(acc[0], acc[1]);
}

float add_parts(const std::vector<float>& parts) {
  float s[fours];
  for (std::int64_t p = 0; p < fours; ++p) {
    s[p] = 0;
    for (std::int64_t i = 0; i < fours; ++i) s[p] = num::add(s[p], parts[fours * p + i]);
  }
  return num::add(num::add(s[0], s[1]), num::add(s[2], s[3]));
}

}  // namespace

template <ScaleOrder Order>
ir::e4m3_t wo_fast_scale(const Nvfp4Matrix<Order>& w, std::int64_t row, std::int64_t group) {
  const ir::e4m3_t scale = w.scales.at(row, group);
  if (scale.bits <= ir::Format<ir::e4m3_t>::max_finite) return scale;
  throw std::invalid_argument(
      fmt::format("block scale {:#x} of row {}, group {}; the fast order takes 0 .. 448 alone: "
                  "give weights with others to the reference order",
                  scale.bits, row, group));
}
template ir::e4m3_t wo_fast_scale(const Nvfp4Matrix<ScaleOrder::Linear>&, std::int64_t,
                                  std::int64_t);
template ir::e4m3_t wo_fast_scale(const Nvfp4Matrix<ScaleOrder::Swizzled>&, std::int64_t,
                                  std::int64_t);

template <ScaleOrder Order>
ir::Tensor wo_fast(const ir::Tensor& x, const Nvfp4Matrix<Order>& w) {
  check_wo_operands(x, w.n(), w.k());
  if (w.k() % wo_fast_multiple != 0)
    throw std::invalid_argument(fmt::format(
        "K = {} in fast order; pass a multiple of {}, which 16 warps take in chunks of {}", w.k(),
        wo_fast_multiple, chunk));
  ir::Tensor y(Elem::F32, {x.shape[0], w.n()});
  const std::int64_t of_warp = w.k() / warps;
  const float factor = num::mul(w.global_scale, 128.0f);
  std::vector<std::uint16_t> row(static_cast<std::size_t>(w.k()));
  std::vector<float> parts(static_cast<std::size_t>(warps));
  for (std::int64_t n = 0; n < w.n(); ++n) {
    decode_row(w, n, row);
    for (std::int64_t b = 0; b < x.shape[0]; ++b) {
      const std::uint16_t* of = x.as<std::uint16_t>() + b * w.k();
      for (std::int64_t i = 0; i < warps; ++i)
        parts[i] = warp_part(of, row.data(), i * of_warp, (i + 1) * of_warp);
      y.as<float>()[b * w.n() + n] = num::mul(add_parts(parts), factor);
    }
  }
  return y;
}

template ir::Tensor wo_fast(const ir::Tensor&, const Nvfp4Matrix<ScaleOrder::Linear>&);
template ir::Tensor wo_fast(const ir::Tensor&, const Nvfp4Matrix<ScaleOrder::Swizzled>&);

}  // namespace barline::kernels::reference
