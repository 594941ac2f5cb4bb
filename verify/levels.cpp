// SPDX-License-Identifier: Apache-2.0
#include "verify/levels.h"

#include <fmt/format.h>
#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>

#include "ir/check.h"
#include "ir/diagnostic.h"

namespace barline::verify {
namespace {

void check_structure(const LevelInput& in, LevelResult& r) {
  try {
    const ir::Target* target = in.target.empty() ? nullptr : ir::find_target(in.target);
    if (target)
      ir::check_for(*in.lowered, *target);
    else
      ir::check(*in.lowered);
    r.verdict = Verdict::Proved;
  } catch (const ir::Error& e) {
    r.verdict = Verdict::Refuted;
    r.witness = e.what();
  }
}

void check_proof(const LevelInput& in, LevelResult& r) {
  ProofReport report = prove(*in.lowered, in.proof);
  r.verdict = report.verdict;
  r.enumerated = report.enumerated;
  r.preconditions = report.preconditions;
  for (const ProofFinding& f : report.findings)
    if (f.verdict == report.verdict) r.witness += (r.witness.empty() ? "" : "\n") + to_string(f);
}

void check_simulator(const LevelInput& in, LevelResult& r) {
  if (in.cases.empty()) {
    r.verdict = Verdict::Skipped;
    r.reason = "no inputs to run it on";
    return;
  }
  std::vector<SimSchedule> schedules = sim_schedules(in.random_schedules);
  r.verdict = Verdict::Checked;
  for (const SimCase& c : in.cases) {
    SimOutcome o = run_case(*in.lowered, c, schedules);
    r.verdict = worse(r.verdict, o.verdict);
    r.enumerated.push_back(
        fmt::format("{}{}{} schedules", c.name, c.name.empty() ? "" : ": ", schedules.size()));
    if (o.verdict != Verdict::Refuted) continue;
    r.witness = o.witness;
    return;
  }
}

LevelResult row(int level, const LevelInput& in) {
  LevelResult r;
  r.kernel = in.kernel;
  r.schedule = in.schedule;
  r.target = in.target;
  r.level = level;
  return r;
}

}  // namespace

std::string_view level_name(int level) {
  constexpr std::string_view names[] = {"structure", "proof", "simulator"};
  return level >= 0 && level <= top_level ? names[level] : "unknown level";
}

LevelResult run_level(int level, const LevelInput& in) {
  auto start = std::chrono::steady_clock::now();
  LevelResult r = row(level, in);
  try {
    switch (level) {
      case 0: check_structure(in, r); break;
      case 1: check_proof(in, r); break;
      case 2: check_simulator(in, r); break;
      default: r.verdict = Verdict::Skipped; r.reason = fmt::format("there is no level {}", level);
    }
  } catch (const ir::Error& e) {
    r.verdict = Verdict::Refuted;
    r.witness = e.what();
  }
  if (r.verdict == Verdict::Unknown) r.reason = in.allow_unknown;
  r.ok =
      r.verdict != Verdict::Refuted && (r.verdict != Verdict::Unknown || !in.allow_unknown.empty());
  r.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return r;
}

std::vector<LevelResult> run_levels(int last, const LevelInput& in) {
  std::vector<LevelResult> results;
  for (int level = 0; level <= std::min(last, top_level); ++level) {
    if (level > 0 && results[0].verdict == Verdict::Refuted) {
      LevelResult skipped = row(level, in);
      skipped.verdict = Verdict::Skipped;
      skipped.reason = "level 0 is refuted";
      skipped.ok = true;
      results.push_back(std::move(skipped));
      continue;
    }
    results.push_back(run_level(level, in));
  }
  return results;
}

std::string to_string(const LevelResult& r) {
  std::string text =
      fmt::format("{}{}{}{}{} L{} {} {} ({:.1f} ms)", r.kernel, r.schedule.empty() ? "" : "@",
                  r.schedule, r.target.empty() ? "" : " ", r.target, r.level, level_name(r.level),
                  name(r.verdict), r.seconds * 1e3);
  if (!r.reason.empty()) text += ": " + r.reason;
  for (std::size_t at = 0; at < r.witness.size();) {
    std::size_t end = std::min(r.witness.find('\n', at), r.witness.size());
    text += "\n  " + r.witness.substr(at, end - at);
    at = end + 1;
  }
  return text;
}

std::string to_json(std::span<const LevelResult> results) {
  nlohmann::ordered_json rows = nlohmann::ordered_json::array();
  bool ok = true;
  for (const LevelResult& r : results) {
    nlohmann::ordered_json row{{"kernel", r.kernel},
                               {"schedule", r.schedule},
                               {"target", r.target},
                               {"level", r.level},
                               {"verdict", name(r.verdict)}};
    if (!r.reason.empty()) row["reason"] = r.reason;
    if (!r.witness.empty()) row["witness"] = r.witness;
    if (!r.enumerated.empty()) row["enumerated"] = r.enumerated;
    if (!r.preconditions.empty()) row["preconditions"] = r.preconditions;
    row["seconds"] = r.seconds;
    row["ok"] = r.ok;
    ok = ok && r.ok;
    rows.push_back(std::move(row));
  }
  nlohmann::ordered_json all{{"schema", "barline.verify/1"}, {"ok", ok}};
  all["results"] = std::move(rows);
  return all.dump(2);
}

}  // namespace barline::verify
