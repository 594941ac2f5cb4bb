// SPDX-License-Identifier: Apache-2.0
// Evaluation of pure integer and boolean ops in all threads of a block at once. Own arithmetic on
// purpose: the proof shares nothing with the passes whose results it judges.
#pragma once

#include <span>
#include <vector>

#include "ir/kernel.h"
#include "verify/proof/value.h"

namespace barline::verify::proof {

/// The ids that ops may ask for.
struct Ids {
  int threads = 1;  ///< evaluated: a block's, or a warp's
  int first = 0;    ///< rank of the first of them in its block
  int cluster = 1;  ///< blocks of a cluster
  std::int32_t block_shape[3] = {1, 1, 1};
  std::int64_t block[3] = {0, 0, 0};
  std::int64_t grid[3] = {1, 1, 1};
};

/// The value of a pure op's result; Unknown for floats and vectors. `zero_divisor` is set if a
/// thread divides by zero (its result is Unknown then); `active` says which threads count for that.
void evaluate(const ir::Kernel& k, const ir::Operation& op, std::vector<Value>& values,
              const Ids& ids, std::span<const std::uint8_t> active, bool& zero_divisor);

/// out[t] = where[t] is Yes ? a[t] : b[t].
void select(Value& out, const Value& where, const Value& a, const Value& b, int threads);

/// The value as its type holds it: wrapped to its width.
std::int64_t wrap(ir::Elem e, std::int64_t value);

/// The range that every value of the type lies in.
void set_type_range(Value& v, ir::Elem e);

}  // namespace barline::verify::proof
