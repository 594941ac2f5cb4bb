// SPDX-License-Identifier: Apache-2.0
// What a sum's loop knows of its product: shared by the files of dsl/ that make products.
#pragma once

#include "dsl/tiles.h"

namespace barline::dsl {

/// A product's operands with the axes they share out: a(m, k), b(k, n).
struct Tiles::Operands {
  Axis m{""}, n{""};
  std::string k;
  Elem operand{};  ///< that the atom multiplies
  std::size_t parts = 1;
  bool swapped = false;  ///< b plays A: the unit computes the transposed product
};

/// The one of `axes` that a coordinate runs along; null of a number.
const Axis* axis_of_span(const std::vector<Axis>& axes, const Coord& c);

}  // namespace barline::dsl
