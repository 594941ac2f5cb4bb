// SPDX-License-Identifier: Apache-2.0
// Tiles over warps and registers become vectors of registers and matrix instructions.
#pragma once

#include "ir/kernel.h"

namespace barline::ir {

/// Turns fragments into registers: products into mma, loads into load_matrix or vector loads, fills
/// into cooperative copies, int4 and int8 casts into bit recipes.
/// Before: rings are gone. After: no op or value of fragment tiles is left.
void expand_fragments(Kernel& k);

}  // namespace barline::ir
