// SPDX-License-Identifier: Apache-2.0
// One job from the author's code to a cubin and its resource row, through the cache.
#pragma once

#include <memory>
#include <string>

#include "ir/kernel.h"
#include "tools/calibration_store.h"
#include "tools/session.h"
#include "verify/gate/resource_row.h"

namespace barline::tools {

struct JobOptions {
  bool skeleton = false;  ///< read the machine code and fill the row's figures of it
  bool lineinfo = false;
  bool pinned = false;  ///< by ptxas alone, which the budgets are pinned to
};

struct JobResult {
  verify::ResourceRow row{};  ///< row.error is set when the kernel could not be compiled
  ExitCode code = ExitCode::Ok;
  std::shared_ptr<const runtime::Entry> entry{};  ///< null after an error
};

/// Compiles jobs of one session; all members may be called from several threads.
class JobCompiler {
 public:
  /// Throws MissingAssembler, and UsageError where pinned and --assembler names another than ptxas.
  JobCompiler(Session& session, JobOptions options);

  /// Never throws for a kernel that does not compile: the result says so.
  JobResult compile(const Job& job);
  /// Runs all jobs on the context's threads, with a progress line on a terminal; in order of jobs.
  std::vector<JobResult> compile_all(const std::vector<Job>& jobs);

 private:
  runtime::Found find_or_build(const Job& job);

  Session& session_;
  JobOptions options_;
  const codegen::Assembler& assembler_;
  runtime::KernelCache& cache_;
  CalibrationStore calibrations_;
};

/// The job's IR as the author's code gives it, before any pass.
ir::Kernel instantiate(const Session& session, const Job& job, const verify::Dims& dims = {});

/// The worst code of a list of results.
ExitCode worst(const std::vector<JobResult>& results);

}  // namespace barline::tools
