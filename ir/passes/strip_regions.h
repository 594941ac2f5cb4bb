// SPDX-License-Identifier: Apache-2.0
// strip_regions: drops region_begin, region_end and the table of regions, unless the kernel is
// built for timing (Kernel::timed). It comes first, so that no other pass sees what is not timed.
#pragma once

#include "ir/kernel.h"

namespace barline::ir {

void strip_regions(Kernel& k);

}  // namespace barline::ir
