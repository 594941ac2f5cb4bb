// SPDX-License-Identifier: Apache-2.0
// Which accesses of a steady loop must keep their order, and which barriers stand between them.
#pragma once

#include <vector>

#include "verify/cadence/cadence.h"
#include "verify/cadence/step_p.h"

namespace barline::verify::cadence {

/// The ops behind one CadenceAccess, as effects says them.
struct AccessOps {
  std::vector<ir::SlotAccess> ops;
  std::size_t last = 0;  ///< position of the last one among the step's items
};

/// Fills `alone` and `shared` of the loop's barriers; `ops` in order of loop.accesses.
void order_hazards(const ir::Kernel& k, CadenceLoop& loop, const std::vector<Item>& items,
                   const std::vector<AccessOps>& ops);

}  // namespace barline::verify::cadence
