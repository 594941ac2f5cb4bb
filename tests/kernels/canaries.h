// SPDX-License-Identifier: Apache-2.0
// Canaries: operands of a contraction whose result says what went wrong. Where a product is known
// without computing it, the canary carries it; the others are judged by the reference.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "kernels/reference/contraction.h"

namespace barline::test {

/// The sizes that a canary is made for.
struct CanaryShape {
  kernels::reference::Weights weights = kernels::reference::Weights::Int4;
  std::int64_t m = 1, k = 1;
  std::vector<std::int64_t> n = {1};  ///< a segment each
  std::int64_t group = 0;             ///< of int4 scales
  std::int64_t step = 16;             ///< of k, the kernel's
};

struct Canary {
  std::string name;
  std::function<double(std::int64_t m, std::int64_t k)> x;
  std::function<int(std::size_t segment, std::int64_t n, std::int64_t k)> code;
  std::function<double(std::size_t segment, std::int64_t group, std::int64_t n)> scale;
  /// The output before its rounding; empty: the reference judges.
  std::function<double(std::size_t segment, std::int64_t m, std::int64_t n)> want{};
};

/// differentiation  w = 1, 2, 3 by segment: a segment's output is not another's
/// sign             every code the most negative one
/// slots            both operands differ by K step: a stale or swapped slot shows
/// scales           a power of two a group and segment (int4): a stale scale shows
/// gather           x picks one k a row: every output is one weight, told from its neighbours
/// hot_x, hot_w     one element of an operand, in the last tile: one column or row of output
/// random           codes over the range, scales of every segment, group and column their own
std::vector<Canary> canaries(const CanaryShape& shape);

/// Writes a canary's operands into the tensors and scalars that are there under the contraction's
/// names: weights of either layout, scales of one, a column or a group and column.
void fill(const Canary& canary, const CanaryShape& shape,
          const kernels::reference::Contraction& names, std::map<std::string, ir::Tensor>& tensors,
          std::map<std::string, double>& scalars);

/// Empty, or the first output that is not `want` rounded to the tensor's type.
std::string first_unwanted(const Canary& canary, const kernels::reference::Contraction& names,
                           const std::map<std::string, ir::Tensor>& tensors);

}  // namespace barline::test
