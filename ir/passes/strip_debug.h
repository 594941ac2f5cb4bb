// SPDX-License-Identifier: Apache-2.0
// strip_debug: drops print and check, unless the kernel is built for debugging (Kernel::debug).
#pragma once

#include "ir/kernel.h"

namespace barline::ir {

void strip_debug(Kernel& k);

}  // namespace barline::ir
