// SPDX-License-Identifier: Apache-2.0
#include "tools/tune.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "codegen/occupancy.h"
#include "ir/pipeline.h"
#include "runtime/jit/unit.h"
#include "tools/compile_job.h"
#include "tools/parallel.h"
#include "tools/progress.h"
#include "tools/row_metadata.h"
#include "verify/levels.h"

namespace barline::tools {
namespace {

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

void fall_out(Tried& t, std::string_view filter, std::string why) {
  t.filter = filter;
  t.why = first_line(why);
}

/// What the gate holds every kernel to that has no budget of its own.
std::string gate_objection(const verify::ResourceRow& row) {
  if (row.spills()) return fmt::format("spills {} bytes", row.spills());
  if (row.stack) return fmt::format("{} bytes of stack", row.stack);
  if (!row.notes.empty()) return fmt::format("ptxas notes {}", fmt::join(row.notes, ", "));
  if (!row.conflicts.empty()) return row.conflicts.front();
  return {};
}

std::string occupancy_objection(Tried& t) {
  auto limits = codegen::sm_limits(t.job.target);
  if (!limits) return {};
  codegen::Occupancy o =
      codegen::occupancy(*limits, {.threads = t.threads, .registers = t.registers, .smem = t.smem});
  t.blocks_per_sm = o.blocks_per_sm;
  t.occupancy = o.fraction;
  int promised = std::max<int>(t.config.schedule.budget.ctas_per_sm, 1);
  if (o.blocks_per_sm >= promised) return {};
  return fmt::format("{} of {} promised blocks fit an SM: {}", o.blocks_per_sm, promised,
                     codegen::limiter_name(o.limiter));
}

std::string proof_objection(const Session& session, const Tried& t) {
  ir::Kernel lowered = dsl::instantiate(session.entry(t.job).make(session.elem(t.job)), t.config);
  ir::run_pipeline(lowered);
  verify::LevelInput in;
  in.kernel = t.job.kernel->name;
  in.schedule = t.candidate.name();
  in.lowered = &lowered;
  verify::LevelResult r = verify::run_level(1, in);
  if (r.verdict == verify::Verdict::Proved) return {};
  return fmt::format("{}: {}", verify::name(r.verdict), r.witness.empty() ? r.reason : r.witness);
}

void filter(Session& session, Tried& t, const codegen::Ptxas& ptxas, bool proof) {
  try {
    jit::Unit unit{.entry = &session.entry(t.job),
                   .elem = session.elem(t.job),
                   .config = t.config,
                   .target = ir::find_target(t.job.target)};
    runtime::Found found = jit::find_or_build(session.cache(), unit, ptxas.release(),
                                              [&]() -> const codegen::Ptxas& { return ptxas; });
    const runtime::Metadata& m = found.entry->metadata;
    verify::ResourceRow row = to_row(m, t.job);
    t.registers = row.registers;
    t.smem = row.smem;
    t.threads = static_cast<int>(m.threads_x * m.threads_y * m.threads_z);
    if (std::string why = gate_objection(row); !why.empty()) fall_out(t, "gate", why);
    std::string fits = occupancy_objection(t);
    if (t.stands() && !fits.empty()) fall_out(t, "occupancy", fits);
    if (!t.stands() || !proof) return;
    if (std::string why = proof_objection(session, t); !why.empty()) fall_out(t, "proof", why);
  } catch (...) {
    fall_out(t, "build", report_of(std::current_exception()).message);
  }
}

}  // namespace

std::vector<Tried> try_space(Session& session, const std::vector<Job>& jobs, const TuneOptions& o) {
  std::vector<ir::Schedule> seeds;
  for (const Job& job : jobs) seeds.push_back(session.schedule(job));
  std::vector<Candidate> space = tune_space(seeds, o.space);
  if (space.size() > static_cast<std::size_t>(o.limit))
    space.resize(static_cast<std::size_t>(o.limit));
  std::vector<Tried> all;
  for (Candidate& c : space) {
    Tried t;
    t.job = *std::find_if(jobs.begin(), jobs.end(),
                          [&](const Job& j) { return j.schedule->name == c.seed; });
    t.config = session.config(t.job);
    t.config.schedule = c.schedule.value;
    t.config.label = verify::config_name(t.job.kernel->name, t.job.type, std::string(c.name()));
    t.candidate = std::move(c);
    all.push_back(std::move(t));
  }
  const codegen::Ptxas& ptxas = session.ptxas();
  session.cache();  // made here, not by two threads at once
  Progress progress(session.context(), "try", all.size());
  for_each_parallel(session.context().threads(), all.size(), [&](std::size_t i) {
    filter(session, all[i], ptxas, o.proof);
    progress.step(all[i].config.label);
  });
  return all;
}

}  // namespace barline::tools
