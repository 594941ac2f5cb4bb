// SPDX-License-Identifier: Apache-2.0
// Random kernels: valid, race-free once their barriers are placed, and deterministic, so that every
// stage of the pipeline and the device must give the same bits. One seed gives one kernel.
#pragma once

#include <cstdint>
#include <vector>

#include "ir/kernel.h"
#include "ir/tensor.h"

namespace barline::test {

struct RandomKernel {
  ir::Kernel kernel;
  std::vector<std::int64_t> axis_sizes;  ///< of the axes that a launch gives a size, in order
  int odd_one_in = 50;  ///< so many floats for one infinity, NaN or extreme in its arguments
};

/// A kernel at thread level: arithmetic, casts, selects, loops, branches, vectors, masked accesses,
/// slots that rotate or not, atomics, shuffles, votes, matrices and reductions over warps and the
/// block.
RandomKernel random_thread_kernel(std::uint64_t seed);

/// A kernel of tiles: stripes in registers, in loops and split over the grid, elementwise code,
/// reductions, masked edges.
RandomKernel random_tile_kernel(std::uint64_t seed);

/// A product of matrices: f16, bf16, s8, int4 and int8 weights, portable or packed, segments, ragged
/// sizes, epilogues, under any schedule.
RandomKernel random_matrix_kernel(std::uint64_t seed);

/// One of the first two, mostly at thread level.
RandomKernel random_kernel(std::uint64_t seed);

/// Arguments for a kernel of these sizes: tensors and scalars, one a parameter, with values that
/// include zeros, infinities and NaNs now and then.
struct RandomArguments {
  std::vector<ir::Tensor> tensors;  ///< one a parameter; empty for a scalar
  std::vector<ir::Scalar> scalars;  ///< one a parameter
};
RandomArguments random_arguments(const RandomKernel& k, std::uint64_t seed);

}  // namespace barline::test
