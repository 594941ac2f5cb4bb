// SPDX-License-Identifier: Apache-2.0
// Uniformity: for every value, the widest team over which it is the same.
//
// Forward data flow over the structured IR. A result is as uniform as its least uniform operand and
// as the control flow it is defined under allows: a value carried out of an `if` or a loop is no
// more uniform than the condition or the trip count that decided it. Loads are uniform where their
// address is and the memory is constant, or a slot that no atomic touches (the kernel is free of
// races); other writable memory is taken as divergent.
#pragma once

#include <functional>
#include <vector>

#include "ir/kernel.h"

namespace barline::ir {

/// The widest team whose members agree on a value: Thread (divergent), Warp, Cta or Grid.
using Uniformity = std::vector<Team>;

Uniformity uniformity(const Kernel& k);

/// Calls visit(op, team) on every op, where team is how uniform the control flow around the op is
/// (the least uniform condition or trip count of the regions that enclose it).
void walk_control(const Kernel& k, const Uniformity& u,
                  const std::function<void(const Operation&, Team)>& visit);

}  // namespace barline::ir
