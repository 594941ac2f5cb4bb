// SPDX-License-Identifier: Apache-2.0
// The content key speaks of the IR before the passes: the passes themselves are part of the code
// generator's id, so a hit skips them too.
#include "tools/compile_job.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "barline_codegen_id.h"
#include "codegen/compile.h"
#include "ir/check.h"
#include "ir/pipeline.h"
#include "ir/print.h"
#include "tools/parallel.h"
#include "tools/progress.h"
#include "tools/row_metadata.h"

namespace barline::tools {
namespace {

const ir::Target& target_of(const Job& job) { return *ir::find_target(job.target); }

runtime::KeyRecord content_key(const ir::Kernel& kernel, const Job& job,
                               const codegen::Ptxas& ptxas, const JobOptions& options) {
  const ir::Target& target = target_of(job);
  codegen::CompileOptions compile{.lineinfo = options.lineinfo};
  runtime::KeyRecord key;
  key.add("ir", ir::print(kernel, {.locations = options.lineinfo}))
      .add("config", job.config())
      .add("target", job.target)
      .add("ptx", std::string(target.ptx))
      .add("assembler", ptxas.version())
      .add("flags",
           fmt::format(
               "{}",
               fmt::join(codegen::assemble_flags(codegen::assemble_options(target, compile)), " ")))
      .add("debug", kernel.debug ? "1" : "0")
      .add("codegen_id", BARLINE_CODEGEN_ID);
  return key;
}

/// Launch figures that a host asks of an entry.
void add_launch(runtime::Metadata& m, const ir::Kernel& kernel) {
  m.threads_x = static_cast<std::uint32_t>(kernel.launch.threads[0]);
  m.threads_y = static_cast<std::uint32_t>(kernel.launch.threads[1]);
  m.threads_z = static_cast<std::uint32_t>(kernel.launch.threads[2]);
  m.min_blocks_per_sm = static_cast<std::uint32_t>(kernel.launch.min_ctas_per_sm);
  m.cooperative = kernel.launch.cooperative;
}

const char* cache_word(const Context& context, runtime::Source source) {
  if (context.runtime.cache.mode == runtime::CacheMode::Off) return "off";
  return source == runtime::Source::Built ? "miss" : "hit";
}

}  // namespace

ir::Kernel instantiate(const Session& session, const Job& job, const verify::Dims& dims) {
  return dsl::instantiate(session.entry(job).make(session.elem(job)), session.config(job, dims));
}

JobCompiler::JobCompiler(Session& session, JobOptions options)
    : session_(session),
      options_(options),
      ptxas_(session.ptxas()),
      cache_(session.cache()),
      calibrations_(ptxas_, cache_) {}

runtime::Found JobCompiler::find_or_build(const Job& job) {
  ir::Kernel kernel = instantiate(session_, job);
  runtime::KeyRecord key = content_key(kernel, job, ptxas_, options_);
  runtime::WarmKey warm{.kernel = job.config(),
                        .config = key.hash().hex(),
                        .target = job.target,
                        .codegen_id = BARLINE_CODEGEN_ID,
                        .assembler = ptxas_.release(),
                        .options = "tool"};
  return cache_.get_or_build(key, warm, [&] {
    ir::run_pipeline(kernel);
    ir::check_for(kernel, target_of(job));
    codegen::Compiled compiled =
        codegen::compile(kernel, target_of(job), ptxas_, {.lineinfo = options_.lineinfo});
    runtime::Entry entry;
    entry.metadata = to_metadata(compiled, job, ptxas_.version());
    add_launch(entry.metadata, kernel);
    entry.cubin = std::move(compiled.cubin);
    entry.ptx = std::move(compiled.ptx);
    return entry;
  });
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
