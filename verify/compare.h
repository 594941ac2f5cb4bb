// SPDX-License-Identifier: Apache-2.0
// Compares a result with what was expected: bit for bit (after NaN canonicalisation), within a
// bound in units in the last place, absolute or relative, or within a bound of each element's own.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "ir/tensor.h"

namespace barline::verify {

/// What may differ. An element passes if one of the bounds holds; all zero: exact bits.
struct Tolerance {
  std::int64_t ulp = 0;  ///< steps between neighbouring values of the element type
  double absolute = 0;   ///< |got - want|
  double relative = 0;   ///< |got - want| / |want|
  bool exact() const { return ulp == 0 && absolute == 0 && relative == 0; }
};

struct Comparison {
  bool equal = true;
  std::int64_t bad = 0;         ///< elements that fail
  std::int64_t first_bad = -1;  ///< index of the first
  double got = 0, want = 0;     ///< its values (of the worst element if none fails)
  std::uint64_t got_bits = 0, want_bits = 0;
  std::int64_t max_ulp = 0;  ///< over all elements; INT64_MAX next to a NaN
  double max_absolute = 0;   ///< over elements that are numbers
  double max_relative = 0;
  double max_share = 0;  ///< of an element's own bound
  std::string problem;   ///< why the tensors cannot be compared; empty if they can
  explicit operator bool() const { return equal; }
};

/// Compares element by element, or only the elements at `places` where there are any. Tensors of
/// other types or shapes are unequal, with a problem.
Comparison compare(const ir::Tensor& got, const ir::Tensor& want, const Tolerance& t = {},
                   std::span<const std::int64_t> places = {});

/// |got[places[i]] - value[i]| <= slack[i]. A value that is infinite or a NaN is met by its like
/// alone.
Comparison compare_within(const ir::Tensor& got, std::span<const std::int64_t> places,
                          std::span<const double> value, std::span<const double> slack);

/// One line: "equal", or the first bad element with both values, their distance and the maxima.
std::string to_string(const Comparison& c);
/// The same of a comparison with bounds.
std::string bound_text(const Comparison& c);

}  // namespace barline::verify
