// SPDX-License-Identifier: Apache-2.0
// unroll_loops: copies the bodies of `for` loops that carry an unroll attribute. 0 (all trips)
// needs constant bounds and at most 1024 trips. n > 1 makes a loop of n bodies a trip and, where
// the trip count is not known to be a multiple, a second loop for the rest.
#pragma once

#include "ir/kernel.h"

namespace barline::ir {

void unroll_loops(Kernel& k);

}  // namespace barline::ir
