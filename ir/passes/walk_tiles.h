// SPDX-License-Identifier: Apache-2.0
// walk_tiles: wraps the body of a kernel that `walks` in a loop over the tiles of its grid, block b
// of B taking tiles b, b + B, b + 2B, .. The first dimension of the grid runs fastest. Afterwards
// the launch is persistent, and block_id is the block's number.
#pragma once

#include "ir/kernel.h"

namespace barline::ir {

void walk_tiles(Kernel& k);

}  // namespace barline::ir
