// SPDX-License-Identifier: Apache-2.0
// What of a plan belongs to ops whose effect ends at a wait, and to those that let warps go apart.
#pragma once

#include "verify/proof/plan.h"

namespace barline::verify::proof {

/// Multiplies what is in slots: operand 0 is no root.
bool is_wgmma(const ir::Operation& op);
/// Reads a tensor into a slot.
bool is_copy(const ir::Operation& op);
/// Waits for others, lets others go on, or has an effect that ends later.
bool is_async(const ir::Operation& op);
/// A kernel with this op is replayed warp by warp (verify/proof/async), not in lock step.
bool sets_warps_apart(const ir::Operation& op);

/// Fills in the gate, the matrices and the facts of such an op's step.
void note_async(const ir::Kernel& k, const std::vector<const ir::Operation*>& defs,
                const ir::Operation& op, Step& s);

}  // namespace barline::verify::proof
