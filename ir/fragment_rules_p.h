// SPDX-License-Identifier: Apache-2.0
// What ir::check asks of fragment tiles and of the ops that make and use them.
#pragma once

#include "ir/kernel.h"

namespace barline::ir {

/// Throws if the layout of a tile that `op` makes is not spread over the block's warps.
void check_fragment(const Kernel& k, const Operation& op, const Layout& layout);
/// Throws if a fragment stands where an op takes a stripe, or the other way round; and where the
/// operands of a fragment op do not fit each other.
void check_fragment_rules(const Kernel& k, const Operation& op);

/// Throws (partial-warp) at an op on tiles if the block's last warp is not whole.
void check_whole_warps(const Kernel& k, const Operation& op);

}  // namespace barline::ir
