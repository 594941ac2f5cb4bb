// SPDX-License-Identifier: Apache-2.0
#include "verify/gate/gate_report.h"

#include "verify/gate/gate_findings.h"

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
  put(out, "bank_conflicts", row.budget_bank_conflicts);
  put(out, "min_ctas_per_sm", row.budget.min_ctas_per_sm);
  if (!row.budget.allow_notes.empty()) out["allow_notes"] = row.budget.allow_notes;
  return out;
}

void put_verdict(json& out, GateVerdict verdict, const std::string& reason, Mark at) {
  out["verdict"] = name(verdict);
  out["line"] = at.line;
  out["column"] = at.column;
  if (verdict == GateVerdict::Ok) return;
  out["reason"] = reason;
  out["fix"] = advice(verdict);
}

}  // namespace

json to_json(const ResourceRow& row) {
  json out = {{"kernel", config_name(row.kernel, row.type, "")},
              {"schedule", row.schedule},
              {"target", row.target}};
  if (!row.error.empty()) out["error"] = row.error;
  if (!row.error.empty() || row.registers == 0) return out;
  out["registers"] = row.registers;
  if (!row.from_cubin)
    out.update({{"spill_stores", row.spill_stores}, {"spill_loads", row.spill_loads}});
  out.update({{"stack", row.stack}, {"smem", row.smem}, {"barriers", row.barriers}});
  put(out, "barriers_per_step", row.barriers_per_step);
  put(out, "bank_conflicts", row.bank_conflicts);
  put(out, "ctas_per_sm", row.ctas_per_sm);
  put(out, "loads_before_wait", row.loads_before_wait);
  put(out, "loads_before_mma", row.loads_before_mma);
  put(out, "movs_per_mma", row.movs_per_mma);
  if (!row.from_cubin) out["ptx_bytes"] = row.ptx_bytes;
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
    put_verdict(r, row.verdict, row.reason, row.at);
    rows.push_back(std::move(r));
  }
  json problem = nullptr;
  if (const auto& p = report.problem) put_verdict(problem, p->verdict, p->reason, p->at);
  return {{"schema", "barline.gate/1"},
          {"file", report.file},
          {"assembler", report.assembler},
          {"pinned_assembler", report.pinned_assembler},
          {"passed", report.passed()},
          {"failures", report.failures},
          {"improved", report.improved},
          {"problem", problem},
          {"results", rows}};
}

}  // namespace barline::verify
