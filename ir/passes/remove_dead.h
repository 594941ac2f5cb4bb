// SPDX-License-Identifier: Apache-2.0
// remove_dead: drops pure ops and weak loads whose results nothing uses, and `if`s that hold
// nothing.
#pragma once

#include "ir/kernel.h"

namespace barline::ir {

void remove_dead(Kernel& k);

}  // namespace barline::ir
