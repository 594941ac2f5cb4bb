// SPDX-License-Identifier: Apache-2.0
// A product is the atom's over every 16 x 8 of C, k ascending for each. Within one step along k the
// products are independent of each other. A step holds its part of A and one column of B at a time:
// what decodes B then stands between the products of the column before. Where operands come by
// register streams, one row of atoms of C takes all its steps, then the next: the registers that
// held a row's A are free for a later trip's early.
#include "ir/passes/fragments_p.h"

namespace barline::ir {
namespace {

/// Groups of an atom's A and B, and atoms along each axis that a warp covers.
struct WarpProduct {
  int m, n, k;
  int groups_a, groups_b;
};

WarpProduct warp_product(const FragmentWorld& w, const Operation& dot) {
  Product p = *product_of(w.layout(dot.in[0]), w.layout(dot.in[1]), w.layout(dot.in[2]),
                          w.k.type(dot.in[1]).elem);
  int width = p.atom.k / 8;  // elements of a register of A or B
  return {.m = p.tile.m / p.tile.warps_m / p.atom.m,
          .n = p.tile.n / p.tile.warps_n / p.atom.n,
          .k = p.tile.k / p.tile.warps_k / p.atom.k,
          .groups_a = 4 * width / group_of_two_axes,
          .groups_b = 2 * width / group_of_two_axes};
}

}  // namespace

Groups expand_dot(Builder& b, FragmentWorld& w, const Operation& dot, Groups acc,
                  const GroupSource& left, const GroupSource& right) {
  const WarpProduct p = warp_product(w, dot);
  auto operand = [&](const GroupSource& source, int first, int groups) {
    if (groups == 1) return source(first);
    std::vector<ValueId> parts;
    for (int i = 0; i < groups; ++i) parts.push_back(source(first + i));
    return groups == 2 && w.k.type(parts[0]).lanes == 4 ? w.join(b, parts[0], parts[1])
                                                        : w.pack(b, parts);
  };
  auto group_a = [&](int m, int k) {
    return operand(left, (k + p.k * m) * p.groups_a, p.groups_a);
  };
  auto group_b = [&](int n, int k) {
    return operand(right, (k + p.k * n) * p.groups_b, p.groups_b);
  };
  auto multiply = [&](ValueId& c, ValueId a, ValueId b_of) {
    c = b.emit(Op::MmaSync, w.k.type(c), {a, b_of, c});
  };
  if (!w.streamed.empty()) {
    for (int m = 0; m < p.m; ++m)
      for (int k = 0; k < p.k; ++k) {
        ValueId a = group_a(m, k);
        for (int n = 0; n < p.n; ++n) multiply(acc[n + p.n * m], a, group_b(n, k));
      }
    return acc;
  }
  for (int k = 0; k < p.k; ++k) {
    Groups as, bs;
    for (int m = 0; m < p.m; ++m) as.push_back(group_a(m, k));
    for (int n = 0; n < p.n; ++n) bs.push_back(group_b(n, k));
    for (int m = 0; m < p.m; ++m)
      for (int n = 0; n < p.n; ++n) multiply(acc[n + p.n * m], as[m], bs[n]);
  }
  return acc;
}

}  // namespace barline::ir
