// SPDX-License-Identifier: Apache-2.0
// Holds the two witnesses of a kernel's resources against each other: ptxas's log and the cubin.
#pragma once

#include <string>
#include <vector>

#include "codegen/cubin/cubin.h"
#include "codegen/report/ptxas_log.h"

namespace barline::codegen {

/// One line for each figure on which log and cubin disagree (registers, static shared memory, stack
/// frame, barrier resources), empty when they agree. A register count that the cubin lacks is a
/// disagreement: what cannot be checked does not pass.
std::vector<std::string> check_against(const ResourceReport& log, const KernelRecord& cubin);

}  // namespace barline::codegen
