// SPDX-License-Identifier: Apache-2.0
// Shrinks a kernel that fails: takes out ops, replaces results by constants and regions by their
// contents for as long as the failure stays.
#pragma once

#include <functional>

#include "ir/kernel.h"

namespace barline::test {

/// True if the kernel still shows the failure. May throw: that counts as "no".
using StillFails = std::function<bool(const ir::Kernel&)>;

/// The smallest kernel found that passes ir::check and still fails. Precondition: `k` does both.
ir::Kernel reduce_kernel(ir::Kernel k, const StillFails& fails);

/// Ops of the kernel, terminators left out.
int count_ops(const ir::Kernel& k);

}  // namespace barline::test
