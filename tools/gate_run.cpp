// SPDX-License-Identifier: Apache-2.0
#include "tools/gate_run.h"

#include <fmt/format.h>

#include <algorithm>

#include "ir/diagnostic.h"
#include "ir/pipeline.h"
#include "tools/parallel.h"
#include "tools/row_metadata.h"
#include "tools/shape_proof.h"
#include "tools/subject.h"

namespace barline::tools {
namespace {

/// Bank conflicts of one config: the count, or why there is none.
struct Conflicts {
  std::optional<int> cycles{};
  std::string fault{};
};

/// An op that the shape's sizes do not come to costs nothing there, and is no doubt about the rest.
bool leaves_no_doubt(const verify::ProofFinding& f) {
  return f.property == verify::Property::Replay && f.verdict == verify::Verdict::Unknown &&
         !f.ops[0].text.empty();
}

Conflicts count_conflicts(const Session& session, const Job& job) {
  try {
    ir::Kernel kernel = instantiate(session, job);
    ir::run_pipeline(kernel);
    verify::ProofReport report = prove_at_sim_shape(kernel, job);
    for (const verify::ProofFinding& f : report.findings) {
      if (leaves_no_doubt(f)) continue;
      return {.fault = fmt::format("bank_conflicts are not exact at the shape sim: {}", f.message)};
    }
    return {.cycles = static_cast<int>(report.extra_cycles)};
  } catch (const ir::Error& e) {
    return {.fault = fmt::format("bank_conflicts cannot be counted: {}", e.what())};
  }
}

/// The proof is asked once a config, and only where the register budgets its answer.
void add_conflicts(const Session& session, const std::vector<Job>& jobs,
                   std::vector<verify::ResourceRow>& rows) {
  std::vector<ConfigJob> configs;
  for (ConfigJob& c : by_config(jobs)) {
    if (c.job.schedule->bank_conflicts) configs.push_back(std::move(c));
  }
  std::vector<Conflicts> found(configs.size());
  for_each_parallel(session.context().threads(), configs.size(),
                    [&](std::size_t i) { found[i] = count_conflicts(session, configs[i].job); });
  for (std::size_t i = 0; i < configs.size(); ++i) {
    for (std::size_t j = 0; j < jobs.size(); ++j) {
      if (jobs[j].config() != configs[i].job.config()) continue;
      rows[j].bank_conflicts = found[i].cycles;
      if (!found[i].fault.empty()) rows[j].conflicts.push_back(found[i].fault);
    }
  }
}

void measure_kernels(Session& session, const std::vector<Job>& jobs, bool has_ptxas,
                     GateRows& out) {
  if (!has_ptxas) {
    for (const Job& job : jobs) out.rows.push_back(to_row({}, job));
    return;
  }
  if (jobs.empty()) return;
  JobCompiler compiler(session, {.skeleton = true, .pinned = true});
  std::vector<JobResult> results = compiler.compile_all(jobs);
  out.code = worst(results);
  for (JobResult& r : results) out.rows.push_back(std::move(r.row));
  add_conflicts(session, jobs, out.rows);
}

void measure_sources(Session& session, const std::vector<SourceJob>& jobs, bool has_ptxas,
                     GateRows& out) {
  const codegen::Ptxas* ptxas = has_ptxas ? &session.ptxas() : nullptr;
  std::vector<SourceResult> results(jobs.size());
  for_each_parallel(session.context().threads(), jobs.size(), [&](std::size_t i) {
    bool can = !jobs[i].assembled() || ptxas;
    results[i] =
        can ? measure(jobs[i], session.source().path, ptxas) : SourceResult{.row = row_of(jobs[i])};
  });
  for (SourceResult& r : results) {
    out.code = worse(out.code, r.code);
    out.rows.push_back(std::move(r.row));
  }
}

}  // namespace

bool GateJobs::assembled() const {
  return !kernels.empty() ||
         std::any_of(sources.begin(), sources.end(), [](auto& s) { return s.assembled(); });
}

GateJobs gate_jobs(const Session& session, const std::vector<std::string>& names,
                   const std::string& arch) {
  const verify::RegistryFile& registry = session.registry();
  std::vector<std::string> files, kernels;
  for (const std::string& name : names) {
    (registry.source(name) ? files : kernels).push_back(name);
  }
  GateJobs jobs;
  if (names.empty() || !kernels.empty()) jobs.kernels = session.jobs(kernels, arch);
  if (names.empty() || !files.empty()) {
    jobs.sources = source_jobs(registry, files, parse_targets(arch, registry));
  }
  return jobs;
}

GateRows measure_all(Session& session, const GateJobs& jobs, bool has_ptxas) {
  GateRows out;
  measure_kernels(session, jobs.kernels, has_ptxas, out);
  measure_sources(session, jobs.sources, has_ptxas, out);
  return out;
}

}  // namespace barline::tools
