// SPDX-License-Identifier: Apache-2.0
#include "tools/compile_job.h"

#include "runtime/jit/unit.h"
#include "tools/error.h"
#include "tools/parallel.h"
#include "tools/progress.h"
#include "tools/row_metadata.h"

namespace barline::tools {
namespace {

const char* cache_word(const Context& context, runtime::Source source) {
  if (context.runtime.cache.mode == runtime::CacheMode::Off) return "off";
  return source == runtime::Source::Built ? "miss" : "hit";
}

const codegen::Assembler& assembler_of(Session& session, const JobOptions& options) {
  if (!options.pinned) return session.assembler();
  const runtime::AssemblerChoice choice = session.context().runtime.assembler;
  if (choice != runtime::AssemblerChoice::Auto && choice != runtime::AssemblerChoice::Ptxas)
    throw UsageError(
        "--assembler: budgets are pinned to ptxas, so this command compiles with it alone; leave "
        "the option and BARLINE_ASSEMBLER out");
  return session.ptxas();
}

}  // namespace

ir::Kernel instantiate(const Session& session, const Job& job, const verify::Dims& dims) {
  return dsl::instantiate(session.entry(job).make(session.elem(job)), session.config(job, dims));
}

JobCompiler::JobCompiler(Session& session, JobOptions options)
    : session_(session),
      options_(options),
      assembler_(assembler_of(session, options)),
      cache_(session.cache()),
      calibrations_(assembler_, cache_) {}

runtime::Found JobCompiler::find_or_build(const Job& job) {
  jit::Unit unit{.entry = &session_.entry(job),
                 .elem = session_.elem(job),
                 .config = session_.config(job),
                 .target = ir::find_target(job.target),
                 .lineinfo = options_.lineinfo};
  return jit::find_or_build(cache_, unit, jit::warm_name(assembler_.kind(), assembler_.release()),
                            [this]() -> const codegen::Assembler& { return assembler_; });
}

JobResult JobCompiler::compile(const Job& job) {
  JobResult result;
  try {
    runtime::Found found = find_or_build(job);
    result.entry = found.entry;
    result.row = to_row(found.entry->metadata, job);
    result.row.ptx_bytes = static_cast<long>(found.entry->ptx.size());
    result.row.cache = cache_word(session_.context(), found.source);
    if (options_.skeleton) {
      add_skeleton(result.row, codegen::skeleton(found.entry->cubin, found.entry->metadata.entry,
                                                 calibrations_.get(job.target)));
    }
  } catch (...) {
    ExitReport report = report_of(std::current_exception());
    result = {};
    result.row = to_row({}, job);
    result.row.error = report.message;
    result.code = report.code;
  }
  return result;
}

std::vector<JobResult> JobCompiler::compile_all(const std::vector<Job>& jobs) {
  std::vector<JobResult> results(jobs.size());
  Progress progress(session_.context(), "compile", jobs.size());
  for_each_parallel(session_.context().threads(), jobs.size(), [&](std::size_t i) {
    results[i] = compile(jobs[i]);
    progress.step(jobs[i].config());
  });
  return results;
}

ExitCode worst(const std::vector<JobResult>& results) {
  ExitCode code = ExitCode::Ok;
  for (const JobResult& r : results) code = worse(code, r.code);
  return code;
}

}  // namespace barline::tools
