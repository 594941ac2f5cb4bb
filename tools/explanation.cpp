// SPDX-License-Identifier: Apache-2.0
#include "tools/explanation.h"

#include "codegen/ptx.h"
#include "ir/check.h"
#include "ir/pipeline.h"
#include "ir/print.h"
#include "tools/shape_proof.h"

namespace barline::tools {
namespace {

/// Costs are counted at the register's small shape; verdict and barriers hold for all sizes.
verify::ProofReport prove(const ir::Kernel& kernel, const Job& job) {
  verify::ProofOptions all_sizes;
  all_sizes.costs = false;
  all_sizes.minimal = false;  // explain asks for witnesses too
  verify::ProofReport report = verify::prove(kernel, all_sizes);
  report.costs = prove_at_sim_shape(kernel, job).costs;
  return report;
}

}  // namespace

Explanation explain(const Session& session, const Job& job) {
  Explanation e;
  e.config = job.config();
  e.target = job.target;
  e.schedule = ir::text(session.schedule(job));
  e.file = session.entry(job).make(session.elem(job)).loc.file;
  const ir::Target& target = *ir::find_target(job.target);
  ir::Kernel kernel = instantiate(session, job);
  ir::run_pipeline(kernel, [&](std::string_view pass, const ir::Kernel& k) {
    e.stages.push_back({std::string(pass), ir::print(k), ir::print(k, {.locations = true})});
  });
  ir::check_for(kernel, target);
  e.threads = kernel.launch.block_threads();
  e.proof = prove(kernel, job);
  e.cadence = verify::cadence_of(kernel);
  e.needs = verify::certify_barriers(kernel, e.proof);
  e.llvm = codegen::emit_llvm(kernel, target);
  e.ptx = codegen::emit_ptx(kernel, target);
  return e;
}

void add_resources(Explanation& e, Session& session, const Job& job) {
  std::vector<Job> jobs;
  for (const std::string& target : job.schedule->targets) {
    jobs.push_back(job);
    jobs.back().target = target;
  }
  JobCompiler compiler(session, {.skeleton = true});
  for (JobResult& result : compiler.compile_all(jobs)) {
    Explanation::OnTarget on{std::move(result), {}};
    auto limits = codegen::sm_limits(on.result.row.target);
    if (limits && on.result.row.error.empty()) {
      on.occupancy = codegen::occupancy(
          *limits,
          {.threads = e.threads, .registers = on.result.row.registers, .smem = on.result.row.smem});
    }
    e.targets.push_back(std::move(on));
  }
}

}  // namespace barline::tools
