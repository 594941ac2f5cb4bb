// SPDX-License-Identifier: Apache-2.0
// Random weights of the output projection's kernels: scales have no sign and are no NaN, so that
// every kernel takes them.
#pragma once

#include "dsl/registry.h"
#include "formats/nvfp4.h"

namespace barline::kernels {

/// For w_scale [N, K / 16] of the sizes: every UE4M3 scale, denormals among them.
formats::LinearScales random_scales(const dsl::InputArgs& a);
/// Codes and scales of [N, K]; the global scale is 1.
formats::Nvfp4Matrix<formats::ScaleOrder::Linear> random_weights(const dsl::InputArgs& a);

}  // namespace barline::kernels
