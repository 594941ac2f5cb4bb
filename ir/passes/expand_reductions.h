// SPDX-License-Identifier: Apache-2.0
// expand_reductions: warp reductions become butterflies of shuffles; block reductions a butterfly,
// one store of each warp's partial by its lane 0, and a fold of all partials by every thread. The
// barrier between is not placed here: the slot accesses state what must be ordered (place_syncs).
// Needs expand_stripes; leaves no reduce behind.
#pragma once

#include "ir/kernel.h"

namespace barline::ir {

void expand_reductions(Kernel& k);

}  // namespace barline::ir
