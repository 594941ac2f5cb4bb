// SPDX-License-Identifier: Apache-2.0
// What `barline tune` says: tables for people, rows for JSON, and tuned rows out of recorded
// results of `barline bench`.
#pragma once

#include <nlohmann/json.hpp>

#include "dsl/tuned.h"
#include "tools/tune_time.h"

namespace barline::tools {

std::string table(const std::vector<Tried>& space);
std::string table(const TunedShape& shape);
nlohmann::ordered_json to_json(const Tried& tried);
nlohmann::ordered_json to_json(const TunedShape& shape);

/// The fastest row of each kernel, type and shape in a file that `barline bench --json-file` wrote,
/// as tuned rows; rows that did not pass and schedules that the library no longer has are left out.
/// `target` is that of files that do not say theirs. Throws UsageError or IoError.
void read_results(const std::string& path, const std::string& target, const Session& session,
                  dsl::Tuned& into);

}  // namespace barline::tools
