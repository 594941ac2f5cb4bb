// SPDX-License-Identifier: Apache-2.0
// `barline verify`: structure, proof and simulation of kernels, or of a .bir file.
#include <fmt/format.h>

#include <atomic>

#include "ir/check.h"
#include "ir/diagnostic.h"
#include "ir/parse.h"
#include "ir/pipeline.h"
#include "tools/command_line.h"
#include "tools/commands.h"
#include "tools/error.h"
#include "tools/file.h"
#include "tools/parallel.h"
#include "tools/progress.h"
#include "tools/verify_config.h"

namespace barline::tools {
namespace {

using Results = std::vector<verify::LevelResult>;
constexpr std::size_t max_bir_bytes = 64 << 20;

struct VerifyOptions {
  std::vector<std::string> names;
  std::string arch;
  int level = verify::top_level;
};

Results verify_file(const std::string& path, int last) {
  verify::LevelInput in;
  in.kernel = path;
  ir::Kernel kernel = ir::parse(read_file(path, max_bir_bytes), path);
  try {
    ir::check(kernel);
    bool lowered = true;
    try {
      ir::check_lowered(kernel);
    } catch (const ir::Error&) {
      lowered = false;
    }
    if (!lowered) ir::run_pipeline(kernel);
  } catch (const ir::Error& e) {
    return {refuted(in, e.what())};
  }
  in.lowered = &kernel;
  return verify::run_levels(last, in);
}

bool is_file(const std::string& name) { return name.ends_with(".bir"); }

/// One line a config, and the witness of what did not hold.
std::string summary(const Results& rows) {
  const verify::LevelResult& first = rows.front();
  int targets = 0;
  double ms = 0;
  std::string out =
      fmt::format("{}{}{}", first.kernel, first.schedule.empty() ? "" : "@", first.schedule);
  std::string verdicts, detail;
  for (const verify::LevelResult& r : rows) {
    targets += r.level == 0;
    if (r.target == first.target) ms += r.seconds * 1e3;
    if (r.target == first.target || !r.ok) {
      verdicts += fmt::format("  L{} {}{}", r.level, name(r.verdict),
                              r.target == first.target ? "" : " on " + r.target);
    }
    if (!r.ok) detail += verify::to_string(r) + "\n";
  }
  return fmt::format("{:<36}{}  {} targets, {:.0f} ms\n{}", out, verdicts, targets, ms, detail);
}

ExitCode run_verify(const Context& context, const VerifyOptions& o) {
  std::vector<Results> results;
  std::vector<std::string> names;
  for (const std::string& name : o.names) {
    if (is_file(name))
      results.push_back(verify_file(name, o.level));
    else
      names.push_back(name);
  }
  if (results.empty() || !names.empty()) {
    Session session(context);
    std::vector<ConfigJob> configs = by_config(session.jobs(names, o.arch));
    std::size_t files = results.size();
    results.resize(files + configs.size());
    Progress progress(context, "verify", configs.size());
    for_each_parallel(context.threads(), configs.size(), [&](std::size_t i) {
      results[files + i] = verify_config(session, configs[i], o.level);
      progress.step(configs[i].job.config());
    });
  }
  Results all;
  std::string text;
  for (const Results& rows : results) {
    text += summary(rows);
    all.insert(all.end(), rows.begin(), rows.end());
  }
  auto failed = std::count_if(all.begin(), all.end(), [](auto& r) { return !r.ok; });
  if (context.json) {
    print_out(verify::to_json(all) + "\n");
  } else {
    print_out(text + fmt::format("{}: {} of {} verdicts hold\n", failed ? "FAIL" : "PASS",
                                 all.size() - static_cast<std::size_t>(failed), all.size()));
  }
  return failed ? ExitCode::Failed : ExitCode::Ok;
}

}  // namespace

void add_verify(CLI::App& app, Context& context) {
  CLI::App& sub = add_command(app, "verify",
                              "Levels 0 to N: structure, race proof, simulator against reference",
                              "barline verify rms_norm.bf16 --level 1");
  auto o = std::make_shared<VerifyOptions>();
  sub.add_option("kernels", o->names, "family[.type][@schedule], or FILE.bir; all when left out");
  sub.add_option("--arch", o->arch, "Targets, as in sm_80,sm_90a; all when left out");
  sub.add_option("--level", o->level, "The last level: 0 structure, 1 proof, 2 simulator")
      ->check(CLI::Range(0, verify::top_level));
  sub.callback(
      [&context, o] { context.action = [&context, o] { return run_verify(context, *o); }; });
}

}  // namespace barline::tools
