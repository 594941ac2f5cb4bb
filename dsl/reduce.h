// SPDX-License-Identifier: Apache-2.0
// Reductions: over a thread's tile (sum, max, min), a warp or the block. Every member of the team
// receives the result, bit for bit the same. Float orders are those of ir/order.h.
#pragma once

#include "dsl/value.h"
#include "ir/team.h"

namespace barline::dsl {

/// A value with the position it stands at.
struct Indexed {
  Value value, index;
};
/// A sum with the sum of the squares.
struct Moments {
  Value sum, squares;
};

/// Over this thread's elements of a tile.
Value sum(const Value& tile, Here here = Here::current());
Value max(const Value& tile, Here here = Here::current());
Value min(const Value& tile, Here here = Here::current());
/// The largest element and the lowest position that holds it (NaN is never larger).
Indexed argmax(const Value& tile, const Value& positions, Here here = Here::current());
/// sum(x) and sum(x * x) in one pass.
Moments moments(const Value& tile, Here here = Here::current());

Value warp_reduce_sum(const Value& v, Here here = Here::current());
Value warp_reduce_max(const Value& v, Here here = Here::current());
Value warp_reduce_min(const Value& v, Here here = Here::current());
Indexed warp_argmax(const Indexed& v, Here here = Here::current());
Moments warp_reduce_moments(const Moments& v, Here here = Here::current());

Value block_reduce_sum(const Value& v, Here here = Here::current());
Value block_reduce_max(const Value& v, Here here = Here::current());
Value block_reduce_min(const Value& v, Here here = Here::current());
Indexed block_argmax(const Indexed& v, Here here = Here::current());
Moments block_reduce_moments(const Moments& v, Here here = Here::current());

}  // namespace barline::dsl
