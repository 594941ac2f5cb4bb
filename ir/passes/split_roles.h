// SPDX-License-Identifier: Apache-2.0
// split_roles: rings that tensor copies (TMA) fill get warps of their own for that. The block's
// warps keep computing and take boxes from the rings; the role that fills follows them, one thread of
// it fills, and gates (mbarriers) hand the slots to and fro. Runs before lower_rings, which stages
// what other agents fill. Afterwards no ring is filled by a tensor copy, and the kernel has no roles.
#pragma once

#include "ir/kernel.h"

namespace barline::ir {

void split_roles(Kernel& k);

}  // namespace barline::ir
