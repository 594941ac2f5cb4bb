// SPDX-License-Identifier: Apache-2.0
#include "verify/gate/gate_findings.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace barline::verify {
namespace {

/// The reasons of one config, each with the targets that share it.
struct Group {
  GateFinding finding{};
  std::vector<std::pair<std::string, std::string>> reasons{};

  void add(const GateRow& row) {
    if (row.verdict > finding.verdict) {
      finding.verdict = row.verdict;
      finding.at = row.at;
    }
    finding.fails = finding.fails || row.fails;
    auto same = std::find_if(reasons.begin(), reasons.end(),
                             [&](const auto& r) { return r.first == row.reason; });
    if (same == reasons.end()) {
      reasons.emplace_back(row.reason, row.measured.target);
    } else {
      same->second += ", " + row.measured.target;
    }
  }

  GateFinding done() const {
    GateFinding out = finding;
    for (const auto& [reason, targets] : reasons) {
      out.reason += fmt::format("{}{} on {}", out.reason.empty() ? "" : "; ", reason, targets);
    }
    return out;
  }
};

}  // namespace

std::string GateFinding::title() const {
  return config.empty() ? std::string(name(verdict)) : fmt::format("{} {}", name(verdict), config);
}

std::vector<GateFinding> findings(const GateReport& report) {
  std::vector<Group> groups;
  std::map<std::string, std::size_t> at;
  for (const GateRow& row : report.rows) {
    bool repeats = report.problem && report.problem->verdict == row.verdict;
    if (row.verdict == GateVerdict::Ok || repeats) continue;
    std::string config = row.measured.config();
    auto [place, fresh] = at.try_emplace(config, groups.size());
    if (fresh) groups.push_back({.finding = {.fails = false, .config = config}});
    groups[place->second].add(row);
  }
  std::vector<GateFinding> out;
  for (const Group& group : groups) out.push_back(group.done());
  std::stable_sort(out.begin(), out.end(), [](const GateFinding& a, const GateFinding& b) {
    return a.verdict > b.verdict;
  });
  if (const auto& p = report.problem) {
    out.insert(out.begin(), {.verdict = p->verdict, .at = p->at, .reason = p->reason});
  }
  return out;
}

std::string place(const GateReport& report, Mark at) {
  return fmt::format("{}:{}:{}", report.file, at.line, at.column);
}

std::string summary(const GateReport& report) {
  if (report.rows.empty())
    return report.passed() ? "PASS: no config" : "FAIL: nothing was measured";
  std::size_t good = report.rows.size() - static_cast<std::size_t>(report.failures);
  return fmt::format("{}: {} of {} configs within budget, {} improved ({})",
                     report.passed() ? "PASS" : "FAIL", good, report.rows.size(), report.improved,
                     report.assembler.empty() ? "no ptxas" : report.assembler);
}

}  // namespace barline::verify
