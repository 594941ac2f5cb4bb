// SPDX-License-Identifier: Apache-2.0
// Sizes: which values of dynamic axes and integer scalars the proof replays, chosen so that loops
// of run-time length take 0, 1, 2, .. trips up to past the period of slot rotation, with ragged
// ends.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "ir/kernel.h"

namespace barline::verify::proof {

/// One case: a value for every dynamic axis (by axis index) and integer scalar (by parameter).
struct Sizes {
  std::vector<std::int64_t> axes;     ///< every axis; bound ones hold their bound
  std::vector<std::int64_t> scalars;  ///< every parameter; 0 where it is no integer scalar
};

/// "rows=2 d=3", of what is not bound; empty if all is.
std::string to_string(const ir::Kernel& k, const Sizes& s);

/// Blocks of the grid along dimension `dim`.
std::int64_t grid_count(const ir::Kernel& k, const Sizes& s, int dim);

/// The cases to replay, the largest first. `fixed` by name wins. `trips`: loops are to reach so
/// many.
std::vector<Sizes> choose_sizes(const ir::Kernel& k,
                                const std::map<std::string, std::int64_t>& fixed, int trips,
                                int max_cases);

}  // namespace barline::verify::proof
