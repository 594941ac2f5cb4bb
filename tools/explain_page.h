// SPDX-License-Identifier: Apache-2.0
// `barline explain --html`: an explanation as one page that needs nothing else, no network and no
// file beside it.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "tools/explanation.h"

namespace barline::tools {

/// The author's source beside the IR after each pass, lines that a pass changed marked; the
/// cadence's timeline; proof, accesses, resources and occupancy of each target; LLVM IR and PTX.
/// Sources are looked for below `folders`, in order; one that is not there is said to be missing.
std::string to_html(const Explanation& e, const std::vector<std::filesystem::path>& folders);

}  // namespace barline::tools
