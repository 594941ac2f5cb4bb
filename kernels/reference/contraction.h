// SPDX-License-Identifier: Apache-2.0
// The reference side of every kernel y = x . w: float, int8 and int4 weights, one output or one a
// segment (q, k, v). From the parameters' names follow the reference at the kernels' rounding
// points, the f64 reference with its bound, generated inputs and the count of operations.
#pragma once

#include <string>
#include <vector>

#include "dsl/registry.h"

namespace barline::kernels::reference {

/// How a contraction's weights are stored.
///   Float  w [K, N], of x's type
///   Int8   w s8 [K, N] or a register image; the scale multiplies the f32 sum
///   Int8Rows  w s8 [N, K] beside an x of s8; the scale multiplies the s32 sum
///   Int4   w u32 words [N, K/8] or a register image, scales f16 [K/group, N]; rn_f16(code * scale)
enum class Weights { Float, Int8, Int8Rows, Int4 };

/// Names of the parameters. A segment's suffix stands behind w and y: w_q, w_scale_q, y_q. Scales
/// after the sum, each optional, each one f32 product, in this order: x_scale [M]; w_scale [N], [1]
/// or a scalar parameter; none where y is s32, the sums themselves. Sizes come from the tensors'
/// shapes; N + suffix and K name the axes.
struct Contraction {
  Weights weights = Weights::Float;
  std::vector<std::string> segments = {""};  ///< {"_q", "_k", "_v"}
  std::string x = "x", w = "w", y = "y";
  std::string n_axis = "N", k_axis = "K", m_axis = "M";
};

/// Writes the outputs: sums by mma over ascending k (exact s32 for s8 by s8), in the parts that the
/// config's schedule splits the sum in, scales, one rounding to the output's type.
void contract(const Contraction& c, const dsl::ReferenceArgs& args);
/// The outputs in f64 with the largest errors that rounding explains.
std::map<std::string, dsl::ErrorBound> contract_bounds(const Contraction& c,
                                                       const dsl::ReferenceArgs& args);

/// Generates weights and scales: codes over their whole range, the same logical codes whatever the
/// layout; scales above 0 that differ by segment, group and column. False for other parameters.
bool contraction_input(const Contraction& c, const dsl::InputArgs& args);

/// 2 M N K over all segments.
double contraction_flops(const Contraction& c, const std::map<std::string, std::int64_t>& sizes);

/// The group of int4 scales with `groups` rows over k: the one of 32, 64, 128, 256 and k that gives
/// as many. Throws std::invalid_argument if none does.
std::int64_t group_of(std::int64_t k, std::int64_t groups);

}  // namespace barline::kernels::reference
