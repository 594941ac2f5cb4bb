// SPDX-License-Identifier: Apache-2.0
// `barline mutate`: deletes each barrier, fence and wait in turn; each mutant must be refuted or
// certified redundant. It judges the judges.
#include <fmt/format.h>

#include "tools/command_line.h"
#include "tools/commands.h"
#include "tools/parallel.h"
#include "tools/progress.h"
#include "tools/subject.h"
#include "verify/gate/resource_row.h"
#include "verify/mutate.h"

namespace barline::tools {
namespace {

using json = nlohmann::ordered_json;
using verify::MutantFate;
using verify::MutantResult;

/// Unless all shifts are asked for.
constexpr std::size_t most_of_a_kind = 12;

struct ConfigMutants {
  Job job;
  std::vector<MutantResult> mutants;
  std::size_t invited = 0;  ///< places for a mutation: unrolled copies of one op are sampled
  int count(MutantFate fate) const {
    return static_cast<int>(std::count_if(mutants.begin(), mutants.end(),
                                          [&](const MutantResult& m) { return m.fate == fate; }));
  }
  bool ok() const {
    return count(MutantFate::Survived) == 0 && count(MutantFate::Contradiction) == 0;
  }
};

ConfigMutants mutate_config(const Session& session, const Job& job, bool shifts) {
  Subject subject = make_subject(session, job);
  verify::MutateOptions options;
  options.cases = sim_cases(subject, job.kernel->compare);
  options.shifts = shifts;
  options.most_of_a_kind = shifts ? 0 : most_of_a_kind;
  return {job, verify::mutate(subject.lowered, options),
          verify::mutations(subject.lowered, shifts).size()};
}

json to_json(const ConfigMutants& c) {
  json mutants = json::array();
  for (const MutantResult& m : c.mutants) {
    mutants.push_back({{"mutation", name(m.mutation.kind)},
                       {"op", m.op.text},
                       {"source", ir::to_string(m.op.loc)},
                       {"fate", name(m.fate)},
                       {"proof", name(m.proof)},
                       {"simulator", name(m.simulator)},
                       {"by", m.by}});
  }
  return {{"kernel", verify::config_name(c.job.kernel->name, c.job.type, "")},
          {"schedule", c.job.schedule->name},
          {"ok", c.ok()},
          {"places", c.invited},
          {"mutants", mutants}};
}

std::string to_text(const ConfigMutants& c, bool all) {
  std::string out = fmt::format(
      "{:<36}  {} mutants{}: {} killed, {} redundant, {} survived\n", c.job.config(),
      c.mutants.size(), c.invited > c.mutants.size() ? fmt::format(" of {}", c.invited) : "",
      c.count(MutantFate::Killed), c.count(MutantFate::Redundant),
      c.count(MutantFate::Survived) + c.count(MutantFate::Contradiction));
  for (const MutantResult& m : c.mutants) {
    bool bad = m.fate == MutantFate::Survived || m.fate == MutantFate::Contradiction;
    if (all || bad) out += "  " + verify::to_string(m) + "\n";
  }
  return out;
}

ExitCode run_mutate(const Context& context, const std::vector<std::string>& names, bool shifts) {
  Session session(context);
  std::vector<ConfigJob> configs = by_config(session.jobs(names, ""));
  std::vector<ConfigMutants> results(configs.size());
  {
    Progress progress(context, "mutate", configs.size());
    for_each_parallel(context.threads(), configs.size(), [&](std::size_t i) {
      results[i] = mutate_config(session, configs[i].job, shifts);
      progress.step(configs[i].job.config());
    });
  }
  bool ok = true;
  std::size_t mutants = 0;
  json rows = json::array();
  std::string text;
  for (const ConfigMutants& c : results) {
    ok &= c.ok();
    mutants += c.mutants.size();
    rows.push_back(to_json(c));
    text += to_text(c, context.verbose);
  }
  if (context.json) {
    print_json("mutate", {{"ok", ok}, {"results", rows}});
  } else {
    print_out(text + fmt::format("{}: {} mutants of {} configs\n", ok ? "PASS" : "FAIL", mutants,
                                 results.size()));
  }
  return ok ? ExitCode::Ok : ExitCode::Failed;
}

}  // namespace

void add_mutate(CLI::App& app, Context& context) {
  CLI::App& sub = add_command(
      app, "mutate",
      "Break each barrier, fence, wait and arrival in turn: every mutant must be refuted",
      "barline mutate rms_norm --verbose");
  auto names = std::make_shared<std::vector<std::string>>();
  auto shifts = std::make_shared<bool>(false);
  sub.add_option("kernels", *names, "family[.type][@schedule]; all when left out");
  sub.add_flag("--shifts", *shifts, "Also shift each slot use and each shared index by one");
  sub.callback([&context, names, shifts] {
    context.action = [&context, names, shifts] { return run_mutate(context, *names, *shifts); };
  });
}

}  // namespace barline::tools
