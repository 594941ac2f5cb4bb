// SPDX-License-Identifier: Apache-2.0
#include "tools/trial.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <sstream>

#include "tools/error.h"
#include "tools/file.h"

namespace barline::tools {
namespace {

namespace fs = std::filesystem;

constexpr const char* timing_header =
    "launch_idx,elapsed_us,payload_bytes,scratch_bytes,effective_bytes,effective_gbps,is_warmup\n";
constexpr std::size_t trial_file_limit = 64u << 20;

std::vector<fs::path> comparisons_in(const std::string& dir) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(dir)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with("correctness_") && name.ends_with(".json")) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

/// The times of timing.csv; empty if it is not whole.
std::vector<double> parse_times(const std::string& text, int launches) {
  std::istringstream in(text);
  std::string line;
  std::vector<double> us;
  std::getline(in, line);
  if (line + "\n" != timing_header) return {};
  for (char comma = 0; std::getline(in, line);) {
    std::istringstream row(line);
    std::size_t index = 0;
    double time = 0;
    if (!(row >> index >> comma >> time) || index != us.size() || !(time > 0)) return {};
    us.push_back(time);
  }
  return us.size() == static_cast<std::size_t>(launches) ? us : std::vector<double>{};
}

void make_folder(const std::string& dir) {
  std::error_code error;
  fs::create_directories(dir, error);
  if (!fs::is_directory(dir))
    throw UsageError(
        fmt::format("--out {}: no folder can be made there; choose another place", dir));
}

}  // namespace

nlohmann::ordered_json plan_of(const nlohmann::ordered_json& config) {
  nlohmann::ordered_json plan = nlohmann::ordered_json::object();
  for (const char* field : {"kernel", "target", "sizes", "scalars", "seed", "launches",
                            "cubin_hash", "device", "driver"})
    if (config.contains(field)) plan[field] = config[field];
  return plan;
}

void forget(const std::string& dir, std::initializer_list<const char*> files) {
  std::error_code none;  // a file that is not there
  for (const char* file : files) fs::remove(fs::path(dir) / file, none);
}

std::vector<Agreement> pass_gate(Trial& trial, const std::string& dir, bool resumed) {
  make_folder(dir);
  forget(dir, {"timing.csv"});
  for (const fs::path& file : comparisons_in(dir)) fs::remove(file);
  if (!resumed || !fs::exists(dir + "/config.json"))
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
  if (std::optional<TrialRun> earlier = earlier_run(trial, dir, launches)) return *earlier;
  TrialRun run{.bytes = trial.bytes(), .agreements = pass_gate(trial, dir)};
  run.us = time_trial(trial, arm, launches);
  write_file(dir + "/timing.csv", timing_csv(run.us, run.bytes));
  return run;
}

std::optional<TrialRun> earlier_run(const Trial& trial, const std::string& dir, int launches) {
  if (!fs::exists(dir + "/timing.csv") || !fs::exists(dir + "/config.json")) return {};
  TrialRun run{.bytes = trial.bytes(), .resumed = true};
  bool passed = false;
  try {
    auto json = [](const fs::path& file) {
      return nlohmann::ordered_json::parse(read_file(file.string(), trial_file_limit));
    };
    if (plan_of(json(dir + "/config.json")) != plan_of(trial.config())) return {};
    for (const fs::path& file : comparisons_in(dir)) {
      run.agreements.push_back(parse_agreement(json(file)));
      passed = passed || (run.agreements.back().gate && run.agreements.back().ok);
    }
  } catch (const nlohmann::json::exception&) {
    return {};  // damaged: it is run again
  }
  run.us = parse_times(read_file(dir + "/timing.csv", trial_file_limit), launches);
  if (!passed || run.us.empty()) return {};
  return run;
}

std::string timing_csv(const std::vector<double>& us, const TrialBytes& bytes) {
  std::string out = timing_header;
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
