// SPDX-License-Identifier: Apache-2.0
// L0: is this a kernel? Types, def before use, scopes, roots, attributes, launch shape,
// convergence.
#pragma once

#include <string_view>

#include "ir/kernel.h"
#include "ir/target.h"

namespace barline::ir {

/// A letter or _ followed by letters, digits or _; at most 255 characters.
bool is_name(std::string_view s);

/// Throws Error on the first broken rule. Run after every pass.
void check(const Kernel& k);
/// check, and that the target has every feature that the kernel uses.
void check_for(const Kernel& k, const Target& target);
/// That nothing above thread level is left: no tile, no reduction (asserted before codegen).
void check_lowered(const Kernel& k);

}  // namespace barline::ir
