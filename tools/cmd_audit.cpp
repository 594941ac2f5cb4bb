// SPDX-License-Identifier: Apache-2.0
// `barline audit`: three launches of wo_nvfp4 that tell the cost of blocks without work from the
// gain of blocks with it. A and B differ in the grid alone, B and C in the active blocks alone.
#include <fmt/format.h>

#include "tools/command_line.h"
#include "tools/commands.h"
#include "tools/experiment.h"
#include "tools/file.h"
#include "tools/sweep_report.h"

namespace barline::tools {
namespace {

struct AuditCase {
  const char* name;
  std::int64_t slice_ctas, wo_split;
};
constexpr AuditCase audit_cases[] = {{"A", 16, 1}, {"B", 8, 1}, {"C", 8, 8}};

std::vector<Arm> audit_arms(const Session& session, const std::string& kernel,
                            const std::string& target) {
  std::vector<Arm> arms;
  for (const AuditCase& c : audit_cases) {
    Arm arm = make_arms(session,
                        {.kernel = kernel,
                         .over = "wo_split",
                         .values = {c.wo_split},
                         .slice_ctas = c.slice_ctas},
                        target)
                  .front();
    arm.label = c.name;
    arms.push_back(std::move(arm));
  }
  return arms;
}

ExitCode run_audit(const Context& context, const ExperimentOptions& o) {
  Experiment experiment(context, o, [&](const Session& session, const std::string& target) {
    return audit_arms(session, o.kernel, target);
  });
  Sweep rows{.kernel = o.kernel, .over = "wo_split", .device = experiment.device().name};
  forget(o.out, {"audit.json"});
  for (const Arm& arm : experiment.arms()) {
    std::unique_ptr<Trial> trial = experiment.open(arm);
    const std::string dir = o.out + "/" + arm.label;
    const TrialRun run = run_trial(*trial, arm.label, dir, o.setup.launches);
    if (run.resumed) context.say(resumed_text(dir));
    rows.rows.push_back(row_of(arm.label, arm.value, trial->config(), run));
  }
  rows.ceiling = experiment.copy_gbps(rows.rows.front().bytes.payload);
  const Audit audit = audit_of(rows);
  nlohmann::ordered_json doc = to_json(rows);
  doc["grid_cost"] = audit.grid_cost;
  doc["active_gain"] = audit.active_gain;
  write_file(o.out + "/audit.json", doc.dump(1) + "\n");
  if (context.json)
    print_json("audit", doc);
  else
    print_out(table(rows) + table(audit));
  return ExitCode::Ok;
}

}  // namespace

void add_audit(CLI::App& app, Context& context) {
  CLI::App& sub = add_command(app, "audit",
                              "wo_nvfp4: tell the cost of idle blocks from the gain of active ones",
                              "barline audit wo_nvfp4 --launches 50 --out audit");
  auto o = std::make_shared<ExperimentOptions>();
  add_experiment_options(sub, *o, "audit");
  sub.callback(
      [&context, o] { context.action = [&context, o] { return run_audit(context, *o); }; });
}

}  // namespace barline::tools
