// SPDX-License-Identifier: Apache-2.0
// expand_meetings: writes out the ops by which blocks meet (ir/meeting.h) as accesses of their
// counters by the block's first thread, with block barriers before and after. Each access says by
// its attribute `counter` which counter it is of; bits and who waits for whom stay as they were.
// Built for debugging, a wait with a timeout gives up: the block reports and leaves.
#pragma once

#include "ir/kernel.h"

namespace barline::ir {

void expand_meetings(Kernel& k);

}  // namespace barline::ir
