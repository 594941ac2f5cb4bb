// SPDX-License-Identifier: Apache-2.0
#include "tools/trial.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "tools/error.h"
#include "tools/file.h"

namespace barline::tools {
namespace {

void make_folder(const std::string& dir) {
  std::error_code error;
  std::filesystem::create_directories(dir, error);
  if (!std::filesystem::is_directory(dir))
    throw UsageError(
        fmt::format("--out {}: no folder can be made there; choose another place", dir));
}

}  // namespace

std::vector<Agreement> pass_gate(Trial& trial, const std::string& dir) {
  make_folder(dir);
  write_file(dir + "/config.json", trial.config().dump(1) + "\n");
  std::vector<Agreement> agreements = trial.check();
  for (const Agreement& a : agreements)
    write_file(fmt::format("{}/correctness_{}.json", dir, a.reference), to_json(a).dump(1) + "\n");
  for (const Agreement& a : agreements)
    if (a.gate && !a.ok)
      throw Failure(
          fmt::format("{}: not equal to {}: {}; nothing was timed", dir, a.reference, a.text));
  return agreements;
}

std::vector<double> time_trial(Trial& trial, const std::string& arm, int launches) {
  std::vector<double> us;
  for (int i = 0; i < launches; ++i) {
    OneLaunch launch = trial.launch();
    if (!launch.same_bits)
      throw Failure(fmt::format(
          "{}: timed launch {} gave other bits than the one that was compared", arm, i));
    us.push_back(launch.us);
  }
  return us;
}

TrialRun run_trial(Trial& trial, const std::string& arm, const std::string& dir, int launches) {
  TrialRun run{.bytes = trial.bytes(), .agreements = pass_gate(trial, dir)};
  run.us = time_trial(trial, arm, launches);
  write_file(dir + "/timing.csv", timing_csv(run.us, run.bytes));
  return run;
}

std::string timing_csv(const std::vector<double>& us, const TrialBytes& bytes) {
  std::string out =
      "launch_idx,elapsed_us,payload_bytes,scratch_bytes,effective_bytes,effective_gbps,"
      "is_warmup\n";
  for (std::size_t i = 0; i < us.size(); ++i)
    out += fmt::format("{},{:.3f},{:.0f},{:.0f},{:.0f},{:.3f},{}\n", i, us[i], bytes.payload,
                       bytes.scratch, bytes.effective(), bytes.effective() / us[i] / 1e3,
                       i == 0 ? 1 : 0);
  return out;
}

Summary summary_of(std::vector<double> us) {
  return {quantile(us, 0.5), quantile(us, 0.95), quantile(us, 0), quantile(us, 1)};
}

Summary summary_of(const TrialRun& run) {
  return summary_of(
      std::vector<double>(run.us.begin() + (run.us.size() > 1 ? 1 : 0), run.us.end()));
}

}  // namespace barline::tools
