// SPDX-License-Identifier: Apache-2.0
#include "tools/soak.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <sstream>

#include "tools/error.h"
#include "tools/file.h"

namespace barline::tools {
namespace {

constexpr const char* soak_header = "round,arm,launches,median_us,p95_us,min_us,max_us";
constexpr std::size_t soak_file_limit = 64u << 20;

/// What must be the same for rounds to be comparable.
nlohmann::ordered_json soak_plan(const std::vector<SoakArm>& arms, const SoakOptions& o) {
  nlohmann::ordered_json plan{{"launches", o.launches}, {"arms", nlohmann::ordered_json::array()}};
  for (const SoakArm& a : arms) {
    nlohmann::ordered_json arm{{"arm", a.label}};
    arm.update(plan_of(a.trial->config()));
    plan["arms"].push_back(arm);
  }
  return plan;
}

/// Whole rounds of the folder's soak; empty where it has none yet.
std::vector<SoakRound> earlier_rounds(const std::vector<SoakArm>& arms, const SoakOptions& o,
                                      const nlohmann::ordered_json& plan) {
  const std::string file = o.dir + "/soak.csv", plan_file = o.dir + "/plan.json";
  if (!std::filesystem::exists(plan_file)) {
    std::filesystem::create_directories(o.dir);
    write_file(plan_file, plan.dump(1) + "\n");
    return {};
  }
  if (read_file(plan_file, soak_file_limit) != plan.dump(1) + "\n")
    throw UsageError(
        fmt::format("{}: a soak of other arms, inputs, code or device; choose another --out, or "
                    "delete the folder",
                    plan_file));
  if (!std::filesystem::exists(file)) return {};
  std::vector<SoakRound> rounds = parse_soak_csv(read_file(file, soak_file_limit), file);
  rounds.resize(rounds.size() / arms.size() * arms.size());
  return rounds;
}

}  // namespace

std::string soak_csv(const std::vector<SoakRound>& rounds) {
  std::string out = std::string(soak_header) + "\n";
  for (const SoakRound& r : rounds)
    out += fmt::format("{},{},{},{:.3f},{:.3f},{:.3f},{:.3f}\n", r.round, r.arm, r.launches,
                       r.time.median, r.time.p95, r.time.min, r.time.max);
  return out;
}

std::vector<SoakRound> parse_soak_csv(const std::string& text, const std::string& file) {
  std::istringstream in(text);
  std::string line;
  std::vector<SoakRound> rounds;
  for (int number = 1; std::getline(in, line); ++number) {
    if (number == 1 && line == soak_header) continue;
    SoakRound r;
    std::replace(line.begin(), line.end(), ',', ' ');
    std::istringstream row(line);
    row >> r.round >> r.arm >> r.launches >> r.time.median >> r.time.p95 >> r.time.min >>
        r.time.max;
    if (!row || number == 1)
      throw UsageError(fmt::format(
          "{}:{}: no row of a soak; delete the folder, or choose another --out", file, number));
    rounds.push_back(std::move(r));
  }
  return rounds;
}

Soak run_soak(std::vector<SoakArm>& arms, const SoakOptions& o,
              const std::function<void(const SoakRound&)>& step) {
  Soak soak;
  const bool begun = std::filesystem::exists(o.dir + "/plan.json");
  soak.rounds = earlier_rounds(arms, o, soak_plan(arms, o));
  soak.resumed = static_cast<int>(soak.rounds.size() / arms.size());
  for (SoakArm& a : arms) {
    soak.arms.push_back(a.label);
    soak.agreements[a.label] = pass_gate(*a.trial, o.dir + "/" + a.label, begun);
  }
  for (int round = soak.resumed; round < o.rounds; ++round) {
    for (std::size_t i = 0; i < arms.size(); ++i) {
      // Each round begins with another arm: none is always the one after a pause.
      SoakArm& arm = arms[(i + static_cast<std::size_t>(round)) % arms.size()];
      arm.trial->launch();  // brings back clocks and pages, not counted
      const Summary time = summary_of(time_trial(*arm.trial, arm.label, o.launches));
      soak.rounds.push_back({round, arm.label, o.launches, time});
      if (step) step(soak.rounds.back());
    }
    write_file(o.dir + "/soak.csv", soak_csv(soak.rounds));
  }
  return soak;
}

}  // namespace barline::tools
