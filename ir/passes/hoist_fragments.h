// SPDX-License-Identifier: Apache-2.0
// One load of a box for all the products that read it.
#pragma once

#include "ir/kernel.h"

namespace barline::ir {

/// Loads a box that several products of a trip read once, where its ring asks for it (`hoist`): the
/// fragment then stays in registers, and its slot is free as soon as it has been read.
/// Before: fragment_loads name parameters and rings. After: a hoisting ring's boxes are loaded
/// once.
void hoist_fragments(Kernel& k);

}  // namespace barline::ir
