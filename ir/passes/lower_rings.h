// SPDX-License-Identifier: Apache-2.0
// Operands through shared memory: the rings of a schedule become slots, fills and reads.
#pragma once

#include "ir/kernel.h"

namespace barline::ir {

/// Stages the loads that name a ring through shared memory: makes the ring's slots, fills them as
/// far ahead as the ring says, and loads the fragments from there. Barriers are left to
/// place_syncs. Before: rings and fragment_loads as the DSL made them; loops with staged loads
/// count 0, 1, 2, .. After: no ring; a staged load reads slot_at(slot, use).
void lower_rings(Kernel& k);

}  // namespace barline::ir
