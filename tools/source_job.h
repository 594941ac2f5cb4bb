// SPDX-License-Identifier: Apache-2.0
// A kernel in a file that another compiler made, from the register to its resource row.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "codegen/assembler/ptxas.h"
#include "tools/exit_code.h"
#include "tools/registry_source.h"
#include "verify/gate/resource_row.h"

namespace barline::tools {

struct SourceJob {
  const verify::SourceEntry* source = nullptr;
  std::string target;

  /// Is it PTX, which takes an assembler? A cubin is read as it is.
  bool assembled() const { return !verify::is_cubin(source->file(target)); }
};

/// The jobs of the register's sources whose names stand in `names` (all, where `names` is empty) on
/// `targets`. Throws UsageError for a named one that has none of the targets.
std::vector<SourceJob> source_jobs(const verify::RegistryFile& registry,
                                   const std::vector<std::string>& names,
                                   const std::vector<std::string>& targets);

/// The row without figures.
verify::ResourceRow row_of(const SourceJob& job);

struct SourceResult {
  verify::ResourceRow row{};  ///< row.error is set when the file gave no record
  ExitCode code = ExitCode::Ok;
};

/// Never throws for a file that is missing or malformed: the result says so. `ptxas` is asked for
/// PTX alone. Paths begin at the folder of `registry`.
SourceResult measure(const SourceJob& job, const std::string& registry,
                     const codegen::Ptxas* ptxas);

}  // namespace barline::tools
