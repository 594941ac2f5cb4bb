// SPDX-License-Identifier: Apache-2.0
// `barline sweep`: one dimension of a kernel through its values, each compared before it is timed,
// with what limits it.
#include <fmt/format.h>

#include "tools/command_line.h"
#include "tools/commands.h"
#include "tools/experiment.h"
#include "tools/file.h"
#include "tools/sweep_report.h"

namespace barline::tools {
namespace {

struct SweepOptions {
  ExperimentOptions experiment{};
  Values values{};
  std::string counters;  ///< a record of what ncu counted
};

ExitCode run_sweep(const Context& context, const SweepOptions& o) {
  const ExperimentOptions& e = o.experiment;
  const ArmOptions which = arm_options(o.values, e.kernel);
  const CounterFile counters = o.counters.empty() ? CounterFile() : CounterFile(o.counters);
  Experiment experiment(context, e, [&](const Session& session, const std::string& target) {
    return make_arms(session, which, target);
  });
  Sweep sweep{.kernel = e.kernel, .over = which.over, .device = experiment.device().name};
  forget(e.out, {"sweep.json", "sweep.svg"});
  for (const Arm& arm : experiment.arms()) {
    std::unique_ptr<Trial> trial = experiment.open(arm);
    const std::string dir = e.out + "/" + arm.label;
    const TrialRun run = run_trial(*trial, arm.label, dir, e.setup.launches);
    if (run.resumed) context.say(resumed_text(dir));
    sweep.rows.push_back(row_of(arm.label, arm.value, trial->config(), run));
    const nlohmann::ordered_json& config = trial->config();
    if (const Counters* c = counters.find(config.at("kernel"), config.at("sizes")))
      sweep.rows.back().counted = *c;
    context.note(fmt::format("{}: {:.2f} us", arm.label, sweep.rows.back().time.median));
  }
  sweep.ceiling = experiment.copy_gbps(sweep.rows.front().bytes.payload);
  write_file(e.out + "/sweep.json", to_json(sweep).dump(1) + "\n");
  write_file(e.out + "/sweep.svg", plot_svg(sweep));
  if (context.json)
    print_json("sweep", to_json(sweep));
  else
    print_out(table(sweep));
  return ExitCode::Ok;
}

}  // namespace

void add_sweep(CLI::App& app, Context& context) {
  CLI::App& sub = add_command(
      app, "sweep", "Time a kernel over the values of one dimension: table, plot, limit",
      "barline sweep wo_nvfp4 --wo-split 1,2,4,8 --launches 50 --out sweep");
  auto o = std::make_shared<SweepOptions>();
  add_experiment_options(sub, o->experiment, "sweep");
  add_value_options(sub, o->values);
  sub.add_option("--counters", o->counters,
                 "What ncu counted of these arms (bench/peers/ncu_counters.py), to print beside");
  sub.callback(
      [&context, o] { context.action = [&context, o] { return run_sweep(context, *o); }; });
}

}  // namespace barline::tools
