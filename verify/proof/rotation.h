// SPDX-License-Identifier: Apache-2.0
// How many trips a loop takes until its slots and its copies in flight stand as they did.
#pragma once

#include "ir/kernel.h"

namespace barline::verify::proof {

struct Rotation {
  int period = 1;  ///< trips after which every rotating slot is at the copy it was at
  int ragged = 1;  ///< last trips that may differ: a ring does not prefetch past the end
  /// Trips to replay: a first one, `period` lengths with a repetition in them, the ragged end.
  int trips() const { return period + ragged + 2; }
};

Rotation rotation_of(const ir::Kernel& k);

}  // namespace barline::verify::proof
