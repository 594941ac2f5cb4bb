// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "verify/gate/gate_findings.h"
#include "verify/gate/gate_report.h"

namespace barline::verify {
namespace {

constexpr const char* row_format = "{:<{}}  {:<7} {:>9} {:>6} {:>6} {:>5} {:>8} {:>7}  {}\n";

std::string table_row(const GateRow& row, std::size_t width) {
  const ResourceRow& m = row.measured;
  if (m.registers == 0 || !m.error.empty()) {
    return fmt::format("{:<{}}  {:<7} {}\n", m.config(), width, m.target, name(row.verdict));
  }
  auto cell = [&](int got, int budget) {
    bool same = row.budget.registers == 0 || got == budget;
    return same ? std::to_string(got) : fmt::format("{}/{}", got, budget);
  };
  return fmt::format(fmt::runtime(row_format), m.config(), width, m.target,
                     cell(m.registers, row.budget.registers),
                     m.from_cubin ? "-" : cell(m.spills(), row.budget.spills),
                     cell(m.smem, row.budget.smem), cell(m.stack, row.budget.stack),
                     cell(m.barriers, std::max(m.barriers, row.budget_barriers)),
                     m.ctas_per_sm ? std::to_string(*m.ctas_per_sm) : "-", name(row.verdict));
}

std::string findings_text(const GateReport& report) {
  std::string out;
  std::set<GateVerdict> verdicts;
  for (const GateFinding& f : findings(report)) {
    verdicts.insert(f.verdict);
    out += fmt::format("{}: {}: {}\n", place(report, f.at), f.title(), f.reason);
  }
  for (auto v = verdicts.rbegin(); v != verdicts.rend(); ++v) {
    out += fmt::format("{}: {}\n", name(*v), advice(*v));
  }
  return out;
}

}  // namespace

std::string to_text(const GateReport& report) {
  std::size_t width = 6;
  for (const GateRow& row : report.rows) width = std::max(width, row.measured.config().size());
  std::string out;
  if (!report.rows.empty()) {
    out = fmt::format(fmt::runtime(row_format), "kernel", width, "target", "registers", "spills",
                      "smem", "stack", "barriers", "ctas/SM", "verdict");
  }
  for (const GateRow& row : report.rows) out += table_row(row, width);
  return out + findings_text(report) + summary(report) + "\n";
}

}  // namespace barline::verify
