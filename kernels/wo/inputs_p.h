// SPDX-License-Identifier: Apache-2.0
// What the output projection's kernels are registered with: random weights, whose scales have no
// sign and are no NaN, so that every kernel takes them, and what a run moves and counts.
#pragma once

#include <map>
#include <string>

#include "dsl/registry.h"
#include "formats/nvfp4.h"

namespace barline::kernels {

/// For w_scale [N, K / 16] of the sizes: every UE4M3 scale, denormals among them.
formats::LinearScales random_scales(const dsl::InputArgs& a);
/// Codes and scales of [N, K]; the global scale is 1.
formats::Nvfp4Matrix<formats::ScaleOrder::Linear> random_weights(const dsl::InputArgs& a);

/// Bytes that a kernel over an image of slabs must move: x, codes, scales, the global scale and y.
double image_payload(const std::map<std::string, std::int64_t>& sizes);
/// Two operations a product.
double projection_flops(const std::map<std::string, std::int64_t>& sizes);

}  // namespace barline::kernels
