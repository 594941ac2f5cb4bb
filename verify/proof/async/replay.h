// SPDX-License-Identifier: Apache-2.0
// Replay of kernels whose warps go apart: gates, asynchronous copies, warpgroups, named barriers,
// clusters. Every case of sizes, every launch of a persistent kernel that gives a block one tile,
// two or three, a few blocks (clusters) of each.
#pragma once

#include "verify/proof/plan.h"
#include "verify/proof/recorder.h"

namespace barline::verify::proof::async {

void replay(const Plan& plan, const ProofOptions& options, Recorder& recorder, ProofReport& report);

}  // namespace barline::verify::proof::async
