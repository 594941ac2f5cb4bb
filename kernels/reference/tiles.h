// SPDX-License-Identifier: Apache-2.0
// Products of matrices in two ways: at the tensor core's rounding points, which is bit for bit what
// a kernel's chain of mma over ascending k gives, and in f64 with a bound on what rounding may do.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "dsl/registry.h"
#include "ir/tensor.h"

namespace barline::kernels::reference {

/// One side of a product: `rows` rows along k, the axis that is summed; f16 or bf16. Rows are
/// padded with zeros to whole steps of 16, and their number to a whole tile.
class Operand {
 public:
  Operand(ir::Elem elem, std::int64_t rows, std::int64_t k);
  /// bits_at(row, k): the element's bits.
  template <class BitsAt>
  Operand(ir::Elem elem, std::int64_t rows, std::int64_t k, BitsAt bits_at)
      : Operand(elem, rows, k) {
    for (std::int64_t r = 0; r < rows; ++r)
      for (std::int64_t at = 0; at < k; ++at) row(r)[at] = bits_at(r, at);
  }

  static constexpr std::int64_t step = 16;  ///< of k, an mma's

  ir::Elem elem() const { return elem_; }
  std::int64_t rows() const { return rows_; }
  std::int64_t k() const { return k_; }
  std::int64_t steps() const { return pitch_ / step; }
  std::uint16_t* row(std::int64_t r) { return &bits_[r * pitch_]; }
  const std::uint16_t* row(std::int64_t r) const { return &bits_[r * pitch_]; }
  /// The row in f64. `floored`: magnitudes, those of subnormals as the smallest normal number,
  /// whose exponent the adder aligns them by.
  std::vector<double> widened(std::int64_t r, bool floored) const;

 private:
  ir::Elem elem_;
  std::int64_t rows_, k_, pitch_;
  std::vector<std::uint16_t> bits_;
};

/// Operands of whole tensors of 16-bit floats: [rows, K], or [K, rows] `transposed`.
Operand operand(const ir::Tensor& t);
Operand transposed(const ir::Tensor& t);

/// How a sum over k is shared out: in each `step` positions part p has those from p * step / parts
/// on, or, in `ranges`, the steps from p * steps / parts on. Parts are summed apart, then added in
/// ascending order.
struct KParts {
  std::int64_t step = 16;
  int parts = 1;
  bool ranges = false;
};

/// a . b of row m of `a` and row n of `b` for each place m * b.rows() + n, as a chain of mma.sync
/// over ascending k from an accumulator of 0 (ir/tensor_core.h), one a part.
std::vector<float> mma_sums(const Operand& a, const Operand& b,
                            std::span<const std::int64_t> places, KParts shared = {});

/// What is known of a tensor core's adder: how many products it takes in one step beside the
/// accumulator, and the bits below the largest exponent to which it truncates each of them. The
/// defaults are the weakest of the targets; sm_90 takes 16 at 25 bits.
struct Adder {
  int products = 8;
  int fraction = 24;
};

/// The error of a chain over `k` products with sum(|a||b|) = 1. In a step of p products and c, all
/// below 2^E * 4 and one of them at 2^E or above, each of p + 1 terms loses less than
/// 2^(E - fraction) and the result, truncated to 24 bits, less than 2^-23 of itself. Truncation
/// makes no magnitude larger, so 2^E and every |c| stay below sum(|a||b|), and ceil(k / p) steps
/// lose less than ceil(k / p) * ((p + 1) 2^-fraction + 2^-23) of it: c * K * 2^-24 with c = 0.66
/// for p = 16 at 25 bits, 1.4 for p = 8 at 24. Above it stands f64's own k * 2^-53.
double chain_error(std::int64_t k, Adder adder = {});

/// The same sums in f64. The slack is chain_error * sum(|a||b|), subnormals taken as the smallest
/// normal number, and a step's f32 subnormals.
dsl::ErrorBound exact_sums(const Operand& a, const Operand& b, std::span<const std::int64_t> places,
                           Adder adder = {});

/// value * scale rounded to f32: what a scale after the accumulation does to a bound.
void scale_bound(double& value, double& slack, double scale);
/// The bound of the value rounded to `e`: half a unit in the last place more; past the largest
/// finite number infinity, with an infinite slack where the bound straddles it.
void round_bound(double& value, double& slack, ir::Elem e);

}  // namespace barline::kernels::reference
