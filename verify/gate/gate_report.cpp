// SPDX-License-Identifier: Apache-2.0
#include "verify/gate/gate_report.h"

#include <fmt/format.h>

#include <algorithm>

namespace barline::verify {
namespace {

using json = nlohmann::ordered_json;

template <class T>
void put(json& out, const char* key, const std::optional<T>& value) {
  if (value) out[key] = *value;
}

json budget_json(const GateRow& row) {
  if (row.budget.registers == 0) return nullptr;
  json out = {{"registers", row.budget.registers},
              {"spills", row.budget.spills},
              {"smem", row.budget.smem},
              {"stack", row.budget.stack},
              {"barriers", row.budget_barriers}};
  put(out, "barriers_per_step", row.budget_barriers_per_step);
  return out;
}

std::string against(int got, int budget) {
  return got == budget ? std::to_string(got) : fmt::format("{}/{}", got, budget);
}

}  // namespace

json to_json(const ResourceRow& row) {
  json out = {{"kernel", config_name(row.kernel, row.type, "")},
              {"schedule", row.schedule},
              {"target", row.target}};
  if (!row.error.empty()) out["error"] = row.error;
  if (!row.error.empty() || row.registers == 0) return out;
  out.update({{"registers", row.registers},
              {"spill_stores", row.spill_stores},
              {"spill_loads", row.spill_loads},
              {"stack", row.stack},
              {"smem", row.smem},
              {"barriers", row.barriers}});
  put(out, "barriers_per_step", row.barriers_per_step);
  put(out, "loads_before_wait", row.loads_before_wait);
  put(out, "loads_before_mma", row.loads_before_mma);
  put(out, "movs_per_mma", row.movs_per_mma);
  out["ptx_bytes"] = row.ptx_bytes;
  out["compile_ms"] = row.compile_ms;
  out["cache"] = row.cache;
  if (!row.notes.empty()) out["notes"] = row.notes;
  return out;
}

json to_json(const GateReport& report) {
  json rows = json::array();
  for (const GateRow& row : report.rows) {
    json r = to_json(row.measured);
    r["budget"] = budget_json(row);
    r["verdict"] = name(row.verdict);
    if (!row.reason.empty()) r["reason"] = row.reason;
    rows.push_back(std::move(r));
  }
  return {{"schema", "barline.gate/1"},
          {"assembler", report.assembler},
          {"pinned_assembler", report.pinned_assembler},
          {"passed", report.passed()},
          {"failures", report.failures},
          {"improved", report.improved},
          {"results", rows}};
}

std::string to_text(const GateReport& report, bool only_failures) {
  std::size_t width = 6;
  for (const GateRow& row : report.rows) width = std::max(width, row.measured.config().size());
  std::string out =
      fmt::format("{:<{}}  {:<7} {:>9} {:>6} {:>6} {:>5} {:>8}  {}\n", "kernel", width, "target",
                  "registers", "spills", "smem", "stack", "barriers", "verdict");
  for (const GateRow& row : report.rows) {
    if (only_failures && row.verdict == GateVerdict::Ok) continue;
    const ResourceRow& m = row.measured;
    if (!m.error.empty() || row.verdict == GateVerdict::NoPtxas) {
      out += fmt::format("{:<{}}  {:<7} {}  {}\n", m.config(), width, m.target, name(row.verdict),
                         row.reason);
      continue;
    }
    bool has = row.budget.registers != 0;
    auto cell = [&](int got, int budget) {
      return has ? against(got, budget) : std::to_string(got);
    };
    out += fmt::format("{:<{}}  {:<7} {:>9} {:>6} {:>6} {:>5} {:>8}  {}{}{}\n", m.config(), width,
                       m.target, cell(m.registers, row.budget.registers),
                       cell(std::max(m.spill_stores, m.spill_loads), row.budget.spills),
                       cell(m.smem, row.budget.smem), cell(m.stack, row.budget.stack),
                       cell(m.barriers, std::max(m.barriers, row.budget_barriers)),
                       name(row.verdict), row.reason.empty() ? "" : "  ", row.reason);
  }
  std::size_t good = report.rows.size() - static_cast<std::size_t>(report.failures);
  out += fmt::format("{}: {} of {} configs within budget, {} improved ({})\n",
                     report.passed() ? "PASS" : "FAIL", good, report.rows.size(), report.improved,
                     report.assembler.empty() ? "no ptxas" : report.assembler);
  return out;
}

}  // namespace barline::verify
