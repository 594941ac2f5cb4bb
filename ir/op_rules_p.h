// SPDX-License-Identifier: Apache-2.0
// What an op must hold to beyond its row of ir/ops.def: shapes of results, types that an attribute
// picks, orders that an access can have.
#pragma once

#include "ir/kernel.h"

namespace barline::ir {

/// Throws Error unless the op keeps the rules of its kind. Operands and attributes are already
/// checked against the row.
void check_op_rules(const Kernel& k, const Operation& op);
/// The combine of a reduce or a fold is arithmetic of one thread alone.
void check_combine(const Operation& op);

}  // namespace barline::ir
