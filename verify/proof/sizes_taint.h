// SPDX-License-Identifier: Apache-2.0
// Which ops are reached or not depending on the sizes and integer scalars of a launch.
#pragma once

#include <vector>

#include "ir/kernel.h"

namespace barline::verify::proof {

/// By number of the op in walk order: a condition, bound or trip count around it follows from a
/// dynamic axis' size or an integer scalar. Errs towards true.
std::vector<bool> decided_by_sizes(const ir::Kernel& k);

}  // namespace barline::verify::proof
