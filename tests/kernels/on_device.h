// SPDX-License-Identifier: Apache-2.0
// A run of a library kernel on a GPU, where there is one.
#pragma once

#include <optional>

#include "problem.h"
#include "runtime/jit/runtime.h"

namespace barline::test {

/// The first GPU; prints SKIP and gives nothing where there is none.
std::optional<driver::Device> gpu();

/// The problem's tensors after a run on the device; outputs start poisoned.
Tensors on_device(const Problem& p, ir::Elem type, jit::Runtime& runtime,
                  const driver::Device& device);

}  // namespace barline::test
