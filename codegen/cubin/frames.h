// SPDX-License-Identifier: Apache-2.0
// Stack frames from a cubin's unwind table, a second witness beside .nv.info.
#pragma once

#include <optional>

#include "codegen/cubin/cubin.h"

namespace barline::codegen {

/// The largest stack frame, in bytes, that .debug_frame gives a function of the kernel's section,
/// callees included; nullopt where the table has no function of it. Throws CubinError for a table
/// that it cannot read.
std::optional<int> deepest_frame(const Cubin& cubin, const KernelRecord& kernel);

}  // namespace barline::codegen
