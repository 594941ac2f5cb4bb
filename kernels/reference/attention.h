// SPDX-License-Identifier: Apache-2.0
// Attention in f64 with a bound on what a kernel's roundings may do: o = softmax(scale q k^T) v for
// grouped heads, causal or not, f16 or bf16 operands.
#pragma once

#include "kernels/reference/tiles.h"

namespace barline::kernels::reference {

/// Which of heads and tokens stands first in a tensor: [batch, heads, tokens, dim], or
/// [batch, tokens, heads, dim], what a QKV projection writes.
enum class HeadOrder { HeadsFirst, TokensFirst };

struct AttentionShape {
  std::int64_t batch = 1, heads = 1, kv_heads = 1, queries = 1, keys = 1, dim = 1;
  float scale = 1;
  /// Query i sees the keys j <= i + keys - queries: the last query sees all. One that sees none
  /// gives 0.
  bool causal = false;
  HeadOrder order = HeadOrder::TokensFirst;

  /// Index of the first element of a token's head.
  std::int64_t at(std::int64_t b, std::int64_t head, std::int64_t token, std::int64_t of_heads,
                  std::int64_t of_tokens) const {
    return order == HeadOrder::HeadsFirst ? ((b * of_heads + head) * of_tokens + token) * dim
                                          : ((b * of_tokens + token) * of_heads + head) * dim;
  }
};

/// The output's elements at `places`, and how far an online softmax on the tensor core may be from
/// them before the rounding of the result (round_bound adds it). With u = 2^-24, D = the largest
/// error of a row's scores (the chain's over dim, and 8 u of the largest |scale * score| for its
/// roundings, the maximum's and the difference's), h = half a unit of the operands' type in 1:
///   weights   e^D - 1 and 2^-21 of the exponential; h as the operand of the second product
///   sum       keys * u, and as the weights
///   output    the chain's error over keys; 2 u for each tile of at least 8 keys that rescales it;
///             4 u for the division
/// all relative to sum_j softmax_j |v_j|; f16 weights below 2^-14 lose up to 2^-25 each.
dsl::ErrorBound attention_bounds(const AttentionShape& shape, const ir::Tensor& q,
                                 const ir::Tensor& k, const ir::Tensor& v,
                                 std::span<const std::int64_t> places, Adder adder = {});

/// The same of a kernel's q, k, v and o, [B, H or G, T or S, D], with a parameter `scale`; slack
/// with the rounding to o's type.
dsl::ErrorBound attention_bounds(const dsl::ReferenceArgs& args, bool causal);
/// Writes o: the f64 values, rounded.
void attend(const dsl::ReferenceArgs& args, bool causal);
/// The shape that the sizes of axes B, H, G, T, S, D give.
AttentionShape attention_shape(const std::map<std::string, std::int64_t>& sizes, float scale,
                               bool causal);

/// Operations of both products, a multiply-add as two; causal: of the pairs that are seen.
double attention_flops(const AttentionShape& shape);

}  // namespace barline::kernels::reference
