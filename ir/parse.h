// SPDX-License-Identifier: Apache-2.0
// Text in: reads what print wrote. Every error is an ir::Error with file:line:column.
#pragma once

#include <string>
#include <string_view>

#include "ir/kernel.h"

namespace barline::ir {

/// Parses one kernel; `file` names the text in diagnostics. Checks syntax and names only: call
/// check() for the rules.
Kernel parse(std::string_view text, std::string file = "<text>");

}  // namespace barline::ir
