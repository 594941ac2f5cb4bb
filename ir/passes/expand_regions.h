// SPDX-License-Identifier: Apache-2.0
// expand_regions: of a timed kernel, makes a sample of each region where it ends: thread 0 of the
// block adds it to the block's row of the buffer (runtime/regions/fields.def). Tells in the table
// which blocks come to a region. Before it: unroll_loops, since copies of a body are other times.
#pragma once

#include "ir/kernel.h"

namespace barline::ir {

void expand_regions(Kernel& k);

}  // namespace barline::ir
