// SPDX-License-Identifier: Apache-2.0
// Tuned rows out of recorded results: those of `barline bench` and of bench/peers/qkv_rows.py.
#pragma once

#include <string>

#include "dsl/tuned.h"
#include "tools/session.h"

namespace barline::tools {

/// Adds the fastest row of each kernel, type and sizes in the file. Left out are rows that did not
/// pass, launches of several kernels, those beside the grid before, rounds at the power limit,
/// schedules that the library no longer has and, of peers' files, sizes that a row does not say.
/// `target` is that of files that do not say theirs. Throws UsageError, also where no row is left,
/// or IoError.
void read_results(const std::string& path, const std::string& target, const Session& session,
                  dsl::Tuned& into);

}  // namespace barline::tools
