// SPDX-License-Identifier: Apache-2.0
#include "kernels/reference/wo.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <stdexcept>

#include "ir/numerics.h"
#include "kernels/reference/elements.h"

namespace barline::kernels::reference {
namespace {

using formats::Nvfp4Matrix;
using formats::ScaleOrder;
using ir::Elem;
namespace num = ir::num;

void check_split(std::int64_t k, const WoSplit& how) {
  if (how.kv_heads >= 1 && how.split >= 1 && k % how.kv_heads == 0 && how.split <= k / how.kv_heads)
    return;
  throw std::invalid_argument(fmt::format(
      "K = {} over {} heads and {} parts; K is a multiple of the heads, and a head has at least as "
      "many k as parts",
      k, how.kv_heads, how.split));
}

/// visit(n, weights of row n) for every row.
template <ScaleOrder Order, class Visit>
void each_row(const Nvfp4Matrix<Order>& w, Visit visit) {
  std::vector<float> row(static_cast<std::size_t>(w.k()));
  for (std::int64_t n = 0; n < w.n(); ++n) {
    for (std::int64_t k = 0; k < w.k(); ++k) row[k] = w.value(n, k);
    visit(n, row.data());
  }
}

float chain(const float* x, const float* w, const WoRange& range, WoStep step) {
  float acc = 0;
  for (std::int64_t k = range.first; k < range.last; ++k)
    acc = step == WoStep::Fma ? num::fma(x[k], w[k], acc) : num::add(acc, num::mul(x[k], w[k]));
  return acc;
}

}  // namespace

void check_wo_operands(const ir::Tensor& x, std::int64_t n, std::int64_t k) {
  if (x.elem == Elem::BF16 && x.shape.size() == 2 && x.shape[1] == k) return;
  throw std::invalid_argument(fmt::format("x is {} [{}] beside weights [{}, {}]; pass bf16 [B, {}]",
                                          ir::name(x.elem), fmt::join(x.shape, ", "), n, k, k));
}

template <ScaleOrder Order>
WoSums wo_split_order(const ir::Tensor& x, const Nvfp4Matrix<Order>& w, const WoSplit& how,
                      WoStep step) {
  check_wo_operands(x, w.n(), w.k());
  check_split(w.k(), how);
  const std::int64_t batch = x.shape[0], n_all = w.n(), slots = how.slots();
  WoSums sums{ir::Tensor(Elem::F32, {batch, slots, n_all}), ir::Tensor(Elem::F32, {batch, n_all})};
  const std::vector<float> wide = load_f32(x);
  float* partial = sums.partial.as<float>();
  each_row(w, [&](std::int64_t n, const float* row) {
    for (std::int64_t b = 0; b < batch; ++b) {
      float sum = 0;
      for (std::int64_t slot = 0; slot < slots; ++slot) {
        const float part = chain(&wide[b * w.k()], row, wo_range(w.k(), how, slot), step);
        partial[(b * slots + slot) * n_all + n] = part;
        sum = slot == 0 ? part : num::add(sum, part);
      }
      sums.y.as<float>()[b * n_all + n] = sum;
    }
  });
  return sums;
}

template <ScaleOrder Order>
ir::Tensor wo_fused_order(const ir::Tensor& x, const Nvfp4Matrix<Order>& w, const WoSplit& how) {
  Nvfp4Matrix<Order> exact = w;
  exact.global_scale = 0x1p-7f;
  ir::Tensor y = wo_split_order(x, exact, how, WoStep::Fma).y;
  const float factor = num::mul(w.global_scale, 128.0f);
  for (std::int64_t i = 0; i < y.count(); ++i)
    y.as<float>()[i] = num::mul(y.as<float>()[i], factor);
  return y;
}

template <ScaleOrder Order>
ir::Tensor wo_chained(const ir::Tensor& x, const Nvfp4Matrix<Order>& w, std::int64_t kv_heads) {
  check_wo_operands(x, w.n(), w.k());
  check_split(w.k(), {.kv_heads = kv_heads});
  const std::vector<float> wide = load_f32(x);
  ir::Tensor y(Elem::F32, {x.shape[0], w.n()});
  const std::int64_t of_head = w.k() / kv_heads;
  each_row(w, [&](std::int64_t n, const float* row) {
    for (std::int64_t b = 0; b < x.shape[0]; ++b) {
      float sum = 0;
      for (std::int64_t from = 0; from < w.k(); from += of_head)
        sum = num::add(sum, chain(&wide[b * w.k()], row, {from, from + of_head}, WoStep::MulAdd));
      y.as<float>()[b * w.n() + n] = sum;
    }
  });
  return y;
}

template <ScaleOrder Order>
ir::Tensor wo_matmul(const ir::Tensor& x, const Nvfp4Matrix<Order>& w) {
  check_wo_operands(x, w.n(), w.k());
  const std::vector<float> wide = load_f32(x);
  ir::Tensor y(Elem::F64, {x.shape[0], w.n()});
  each_row(w, [&](std::int64_t n, const float* row) {
    for (std::int64_t b = 0; b < x.shape[0]; ++b) {
      double sum = 0;
      for (std::int64_t k = 0; k < w.k(); ++k) sum += double{wide[b * w.k() + k]} * row[k];
      y.as<double>()[b * w.n() + n] = num::canonical(sum);
    }
  });
  return y;
}

template WoSums wo_split_order(const ir::Tensor&, const Nvfp4Matrix<ScaleOrder::Linear>&,
                               const WoSplit&, WoStep);
template WoSums wo_split_order(const ir::Tensor&, const Nvfp4Matrix<ScaleOrder::Swizzled>&,
                               const WoSplit&, WoStep);
template ir::Tensor wo_fused_order(const ir::Tensor&, const Nvfp4Matrix<ScaleOrder::Linear>&,
                                   const WoSplit&);
template ir::Tensor wo_fused_order(const ir::Tensor&, const Nvfp4Matrix<ScaleOrder::Swizzled>&,
                                   const WoSplit&);
template ir::Tensor wo_chained(const ir::Tensor&, const Nvfp4Matrix<ScaleOrder::Linear>&,
                               std::int64_t);
template ir::Tensor wo_chained(const ir::Tensor&, const Nvfp4Matrix<ScaleOrder::Swizzled>&,
                               std::int64_t);
template ir::Tensor wo_matmul(const ir::Tensor&, const Nvfp4Matrix<ScaleOrder::Linear>&);
template ir::Tensor wo_matmul(const ir::Tensor&, const Nvfp4Matrix<ScaleOrder::Swizzled>&);

}  // namespace barline::kernels::reference
