// SPDX-License-Identifier: Apache-2.0
// Summation order as data. A float reduction's bits are fixed by four numbers, bound once by the
// pass bind_order; the interpreter obeys them at every stage, and references are built from them.
//
//   thread   element e of a thread's share (chunk-major, then position in the vector) goes to chain
//            e mod chains; each chain starts at the identity and folds its elements in order;
//            chains are then folded pairwise: (0,1)(2,3).. until one is left (an odd one is carried
//            over)
//   warp     butterfly: lane l folds with lane l^16, then ^8, ^4, ^2, ^1
//   block    the warps' values, in warp order, folded pairwise as chains are
//   fold     (fragments) a thread's elements along the axis are one chain, ascending, that starts
//            with the first; then a butterfly over the lanes that divide the axis, widest first
#pragma once

#include <cstdint>

namespace barline::ir {

struct Order {
  std::int32_t chains = 1;  ///< independent chains a thread keeps
  bool operator==(const Order&) const = default;
};

/// Folds v[0..n) pairwise in place, as chains and warps are folded, and returns the result.
template <class T, class Combine>
T fold_pairwise(T* v, int n, Combine combine) {
  while (n > 1) {
    int half = 0;
    for (int i = 0; i + 1 < n; i += 2) v[half++] = combine(v[i], v[i + 1]);
    if (n % 2) v[half++] = v[n - 1];
    n = half;
  }
  return v[0];
}

}  // namespace barline::ir
