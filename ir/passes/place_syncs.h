// SPDX-License-Identifier: Apache-2.0
// place_syncs: puts a barrier between every two slot accesses of different threads whose order
// matters, and no barrier that is not needed. Runs last; the kernel is at thread level.
#pragma once

#include "ir/kernel.h"

namespace barline::ir {

/// Throws DivergentConvergent where a barrier is needed but stands under divergent control flow.
void place_syncs(Kernel& k);

/// Barriers of the kernel: static count over all regions.
int count_barriers(const Kernel& k);

}  // namespace barline::ir
