// SPDX-License-Identifier: Apache-2.0
// Which blocks come to a region, as the table says it: by the conditions that it stands under.
#pragma once

#include "ir/kernel.h"

namespace barline::ir {

/// Fills in `where` of each region that a marker of the kernel ends: nothing for one that all
/// blocks come to, a condition on ids of blocks, sizes and arguments, or `dynamic`.
void name_blocks(Kernel& k);

}  // namespace barline::ir
