// SPDX-License-Identifier: Apache-2.0
// Every level of one config for all of its targets, as `verify` and `demo` report them.
#pragma once

#include "tools/subject.h"
#include "verify/levels.h"

namespace barline::tools {

/// Levels 0 to `last` of the config, a row for each level and target: level 0 asks the target, the
/// others hold for all of them and are run once. A kernel that a pass refuses is one refuted row.
std::vector<verify::LevelResult> verify_config(const Session& session, const ConfigJob& config,
                                               int last);

/// The row of a kernel that is refused before any level can run.
verify::LevelResult refuted(const verify::LevelInput& in, const std::string& witness);

}  // namespace barline::tools
