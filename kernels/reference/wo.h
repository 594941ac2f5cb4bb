// SPDX-License-Identifier: Apache-2.0
// The attention output's projection over NVFP4 weights, y[b, n] = sum over k of x[b, k] * w(n, k),
// in the orders that its kernels declare. K falls to the KV heads in equal runs, each head's run to
// `split` parts; slot = head * split + part. Of every row and slot one chain in the order of k from
// +0, then the slots in ascending order from slot 0.
#pragma once

#include "formats/nvfp4.h"

namespace barline::kernels::reference {

/// How K is shared out.
struct WoSplit {
  std::int64_t kv_heads = 4;
  std::int64_t split = 1;
  constexpr std::int64_t slots() const { return kv_heads * split; }
};

/// [first, last) along k.
struct WoRange {
  std::int64_t first = 0, last = 0;
  bool operator==(const WoRange&) const = default;
};
/// What a slot sums: floor(k_head * part / split) on from its head's first.
constexpr WoRange wo_range(std::int64_t k, const WoSplit& how, std::int64_t slot) {
  const std::int64_t of_head = k / how.kv_heads, part = slot % how.split;
  const std::int64_t from = slot / how.split * of_head;
  return {from + of_head * part / how.split, from + of_head * (part + 1) / how.split};
}

/// A chain's step: acc + rn(x * w), or x * w + acc rounded once.
enum class WoStep : std::uint8_t { MulAdd, Fma };

struct WoSums {
  ir::Tensor partial;  ///< f32 [B, slots, N]
  ir::Tensor y;        ///< f32 [B, N]
};

/// Throws std::invalid_argument unless x is bf16 [B, k], beside weights [n, k].
void check_wo_operands(const ir::Tensor& x, std::int64_t n, std::int64_t k);

/// What a kernel in reference order computes, bit for bit. x: bf16 [B, K]. Throws
/// std::invalid_argument unless x fits w and K falls to the heads in equal runs of at least
/// `split`.
template <formats::ScaleOrder Order>
WoSums wo_split_order(const ir::Tensor& x, const formats::Nvfp4Matrix<Order>& w, const WoSplit& how,
                      WoStep step = WoStep::MulAdd);

/// The fused order: every chain's step is fma(x, w, acc) with w = code * block scale * 2^-7, exact;
/// the slots are added as in reference order, and the sum is multiplied by rn(global scale * 128).
template <formats::ScaleOrder Order>
ir::Tensor wo_fused_order(const ir::Tensor& x, const formats::Nvfp4Matrix<Order>& w,
                          const WoSplit& how);

/// A chain a head, summed from +0 in head order: split_order(1) but for the sign of a zero.
template <formats::ScaleOrder Order>
ir::Tensor wo_chained(const ir::Tensor& x, const formats::Nvfp4Matrix<Order>& w,
                      std::int64_t kv_heads = 4);

/// The sums in f64, from weights in f32: a diagnostic, no order's bits.
template <formats::ScaleOrder Order>
ir::Tensor wo_matmul(const ir::Tensor& x, const formats::Nvfp4Matrix<Order>& w);

}  // namespace barline::kernels::reference
