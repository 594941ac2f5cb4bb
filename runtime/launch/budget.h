// SPDX-License-Identifier: Apache-2.0
// Code that the driver compiled on this machine, against what was promised of the kernel: its
// compiler is another than the one that the promise was measured with.
#pragma once

#include <functional>
#include <stdexcept>
#include <string>

#include "runtime/launch/prepared.h"

namespace barline::runtime {

/// The code needs more than its budget, and Options::strict_budget is set.
struct OverBudget : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// The name under which Metadata::extra of an entry that the driver assembled keeps the registers
/// of a thread that its schedule promises.
inline constexpr const char* promised_registers = "promised_registers";

/// Where the driver made the code of `prepared`, out of an entry's PTX or as its assembler: reads
/// its registers and local memory. Over the budget: throws OverBudget where `strict`, else calls
/// `warn`. What was measured once for that PTX is the budget, or else the schedule's promise and no
/// local memory.
void hold_to_budget(const Prepared& prepared, Code code, bool strict,
                    const std::function<void(const std::string&)>& warn);

}  // namespace barline::runtime
