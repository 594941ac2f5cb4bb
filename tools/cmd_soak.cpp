// SPDX-License-Identifier: Apache-2.0
// `barline soak`: arms in turn over many rounds, and whether one of them should be the default.
#include <fmt/format.h>

#include "tools/command_line.h"
#include "tools/commands.h"
#include "tools/error.h"
#include "tools/experiment.h"
#include "tools/file.h"
#include "tools/progress.h"
#include "tools/soak.h"

namespace barline::tools {
namespace {

struct SoakCommand {
  ExperimentOptions experiment{};
  Values values{};
  SoakRule rule{};
  int rounds = 20;
};

ExitCode run_soak_command(const Context& context, const SoakCommand& o) {
  const ExperimentOptions& e = o.experiment;
  const ArmOptions which = arm_options(o.values, e.kernel);
  if (which.values.size() < 2)
    throw UsageError("a soak compares arms: name at least two values, the default first");
  Experiment experiment(context, e, [&](const Session& session, const std::string& target) {
    return make_arms(session, which, target);
  });
  std::vector<SoakArm> arms;
  for (const Arm& arm : experiment.arms()) arms.push_back({arm.label, experiment.open(arm)});
  forget(e.out, {"soak.json"});
  Progress progress(context, "soak", static_cast<std::size_t>(o.rounds) * arms.size());
  const Soak soak = run_soak(
      arms, {.dir = e.out, .rounds = o.rounds, .launches = e.setup.launches},
      [&](const SoakRound& r) { progress.step(fmt::format("round {} {}", r.round, r.arm)); });
  const std::vector<Verdict> verdicts = judge_soak(soak, o.rule);
  const nlohmann::ordered_json doc = to_json(soak, verdicts, o.rule);
  write_file(e.out + "/soak.json", doc.dump(1) + "\n");
  if (context.json)
    print_json("soak", doc);
  else
    print_out(table(verdicts, soak.arms.front()));
  return ExitCode::Ok;
}

}  // namespace

void add_soak(CLI::App& app, Context& context) {
  CLI::App& sub = add_command(
      app, "soak", "Time arms in turn, resumably, and say whether one should be the default",
      "barline soak wo_nvfp4 --wo-split 1,8 --rounds 20 --launches 50 --out soak");
  auto o = std::make_shared<SoakCommand>();
  add_experiment_options(sub, o->experiment, "soak");
  add_value_options(sub, o->values);
  sub.add_option("--rounds", o->rounds, "Of all arms; those that --out holds already count")
      ->check(CLI::Range(1, 1000000));
  sub.add_option("--noise", o->rule.noise, "Spread of an arm's rounds that still allows a verdict")
      ->check(CLI::Range(0.0, 1.0));
  sub.add_option("--gain", o->rule.gain, "Share of the default's time that another must save")
      ->check(CLI::Range(0.0, 1.0));
  sub.callback(
      [&context, o] { context.action = [&context, o] { return run_soak_command(context, *o); }; });
}

}  // namespace barline::tools
