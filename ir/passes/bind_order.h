// SPDX-License-Identifier: Apache-2.0
// bind_order: gives every reduction over a thread's tile its number of chains (ir/order.h): one for
// each element of a vector, so that the folds of a vector are independent. A number that is there
// already (from the schedule or a .bir file) stays. Before it: any kernel. After it: bits are
// fixed.
#pragma once

#include "ir/kernel.h"

namespace barline::ir {

void bind_order(Kernel& k);

}  // namespace barline::ir
