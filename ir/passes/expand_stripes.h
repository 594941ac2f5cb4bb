// SPDX-License-Identifier: Apache-2.0
// expand_stripes: tile ops become thread-level ops. Needs bind_order; leaves no tile behind.
//
// A tile whose layout has a known number of chunks lives in registers: its loads stand where the
// tile_load stood. One without (chunks 0) is never held: each reduction or store of it becomes a
// loop that recomputes it from memory, which is refused where the memory was overwritten between.
#pragma once

#include "ir/kernel.h"

namespace barline::ir {

void expand_stripes(Kernel& k);

}  // namespace barline::ir
