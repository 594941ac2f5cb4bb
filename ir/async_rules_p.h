// SPDX-License-Identifier: Apache-2.0
// Rules of what ends later than the op that begins it: gates and the copies that report to them,
// accumulators in flight, barriers of some warps, parts of a sum.
#pragma once

#include <vector>

#include "ir/kernel.h"

namespace barline::ir {

/// Throws Error unless the op keeps these rules. Operands and attributes are already checked
/// against the op's row; `defs` is definitions(k).
void check_async_rules(const Kernel& k, const std::vector<const Operation*>& defs,
                       const Operation& op);
/// Is an attribute that only such ops carry in its range?
bool async_attr_in_range(const Attr& a);
/// One number of barrier has one number of warps throughout the kernel.
void check_named_barriers(const Kernel& k);
/// Must the target be sm_90 or later for this op?
bool needs_sm90(const Operation& op);

}  // namespace barline::ir
