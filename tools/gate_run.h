// SPDX-License-Identifier: Apache-2.0
// What `barline gate` measures: the library's kernels, and the files of other compilers.
#pragma once

#include <string>
#include <vector>

#include "tools/compile_job.h"
#include "tools/source_job.h"

namespace barline::tools {

struct GateJobs {
  std::vector<Job> kernels;
  std::vector<SourceJob> sources;

  /// Does any of them take an assembler?
  bool assembled() const;
};

/// The jobs of `names` (of all kernels and files when empty) on the targets of --arch. Throws
/// UsageError for names that the register does not hold.
GateJobs gate_jobs(const Session& session, const std::vector<std::string>& names,
                   const std::string& arch);

struct GateRows {
  std::vector<verify::ResourceRow> rows;  ///< in the order of the jobs, kernels first
  ExitCode code = ExitCode::Ok;           ///< the worst of what could not be measured
};

/// Compiles, assembles and reads all jobs. Where `has_ptxas` is false, only cubins are measured;
/// the rows of the others have no figures.
GateRows measure_all(Session& session, const GateJobs& jobs, bool has_ptxas);

}  // namespace barline::tools
