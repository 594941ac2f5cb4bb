// SPDX-License-Identifier: Apache-2.0
// The proof at the register's small shape, where the cost of every access is counted exactly.
#pragma once

#include "ir/kernel.h"
#include "tools/selection.h"
#include "verify/proof/prove.h"

namespace barline::tools {

/// Proves the lowered kernel of `job` for the sizes of its shape `sim` (for enumerated ones where
/// the register has none) and counts what its accesses cost.
verify::ProofReport prove_at_sim_shape(const ir::Kernel& lowered, const Job& job);

}  // namespace barline::tools
