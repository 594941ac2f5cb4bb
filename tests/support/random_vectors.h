// SPDX-License-Identifier: Apache-2.0
// Random code on vectors and on the matrices of a warp, for the generator of thread-level kernels.
#pragma once

#include <functional>

#include "ir/builder.h"
#include "tests/support/random_source.h"

namespace barline::test {

/// The scalars that the code around it has and takes.
struct RandomScalars {
  std::function<ir::ValueId(ir::Elem)> pick;
  std::function<void(ir::ValueId)> add;
};

/// Packs scalars, computes on vectors, and gives some of the elements back.
void random_vectors(ir::Builder& b, Random& rng, const RandomScalars& scalars);

/// Every thread writes a row of 8 elements of `slot` (u16, 8 a thread) at `to`, and its warp loads
/// some matrices by rows that start at `from` (permutations of the ranks, times 8).
void random_matrices(ir::Builder& b, Random& rng, const RandomScalars& scalars, ir::ValueId slot,
                     ir::ValueId to, ir::ValueId from);

/// A product of matrices that the warp's lanes pack, or one matrix transposed.
void random_product(ir::Builder& b, Random& rng, const RandomScalars& scalars);

}  // namespace barline::test
