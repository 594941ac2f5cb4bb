// SPDX-License-Identifier: Apache-2.0
// Products that ptxas runs one after the other, and register budgets that it drops: its notes on
// wgmma and setmaxnreg. The code is right and about half as fast, so such a build is refused.
#pragma once

#include <string>
#include <string_view>

#include "codegen/report/ptxas_log.h"

namespace barline::codegen {

/// What ptxas gave up in a kernel: each note with the rule it speaks of and the fix, one below the
/// other. Empty where it gave up nothing.
std::string explain_serialised(const PtxasLog& log, std::string_view kernel);

}  // namespace barline::codegen
