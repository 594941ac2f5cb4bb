// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <set>

#include "verify/gate/gate_findings.h"
#include "verify/gate/gate_formats.h"
#include "verify/gate/markdown_p.h"

namespace barline::verify {
namespace {

/// A figure, with its budget where that differs; "-" for what the file does not say.
std::string figure(const GateRow& row, int got, int budget) {
  if (row.budget.registers == 0 || got == budget) return std::to_string(got);
  return fmt::format("{} ({})", got, budget);
}

std::string table_row(const GateRow& row) {
  const ResourceRow& m = row.measured;
  if (m.registers == 0) {
    return fmt::format("| {} | {} | | | | | | | {} |\n", markdown_cell(m.config()), m.target,
                       name(row.verdict));
  }
  return fmt::format("| {} | {} | {} | {} | {} | {} | {} | {} | {} |\n", markdown_cell(m.config()),
                     m.target, figure(row, m.registers, row.budget.registers),
                     m.from_cubin ? "-" : figure(row, m.spills(), row.budget.spills),
                     figure(row, m.smem, row.budget.smem), figure(row, m.stack, row.budget.stack),
                     m.barriers, m.ctas_per_sm ? std::to_string(*m.ctas_per_sm) : "",
                     name(row.verdict));
}

std::string findings_table(const GateReport& report, const std::vector<GateFinding>& all) {
  if (all.empty()) return "";
  std::string out = "| verdict | kernel | reason | place |\n|---|---|---|---|\n";
  std::set<GateVerdict> verdicts;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (out.size() > markdown_bytes / 2) {
      out += fmt::format("| | | and {} more | |\n", all.size() - i);
      break;
    }
    const GateFinding& f = all[i];
    verdicts.insert(f.verdict);
    out += fmt::format("| {} | {} | {} | {} |\n", name(f.verdict), markdown_cell(f.config),
                       markdown_cell(f.reason), markdown_cell(place(report, f.at)));
  }
  out += "\n";
  for (auto v = verdicts.rbegin(); v != verdicts.rend(); ++v) {
    out += fmt::format("- {}: {}\n", name(*v), advice(*v));
  }
  return out + "\n";
}

}  // namespace

std::string to_markdown(const GateReport& report) {
  std::string out = fmt::format("### barline gate\n\n**{}**\n\n", summary(report));
  out += findings_table(report, findings(report));
  if (report.rows.empty()) return out;
  out += fmt::format(
      "<details><summary>{} rows</summary>\n\n"
      "| kernel | target | registers | spills | smem | stack | barriers | blocks an SM | verdict "
      "|\n"
      "|---|---|--:|--:|--:|--:|--:|--:|---|\n",
      report.rows.size());
  for (std::size_t i = 0; i < report.rows.size(); ++i) {
    if (out.size() > markdown_bytes) {
      out += fmt::format("| and {} more | | | | | | | | |\n", report.rows.size() - i);
      break;
    }
    out += table_row(report.rows[i]);
  }
  return out + "\n</details>\n";
}

}  // namespace barline::verify
