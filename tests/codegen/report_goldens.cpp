// SPDX-License-Identifier: Apache-2.0
// Each log beside the rows that it means, as JSON: logs/NAME.txt and logs/NAME.json.
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "codegen/report/ptxas_log.h"
#include "tests/codegen/report_logs.h"

using namespace barline::codegen;
namespace logs = barline::codegen::test::logs;
using Json = nlohmann::ordered_json;

namespace {

/// What the log says of a function; zeros are left out.
Json row_of(const ResourceReport& r) {
  Json row = {{"entry", r.entry}};
  if (!r.target.empty()) row["target"] = r.target;
  const std::pair<const char*, int> figures[] = {{"registers", r.registers},
                                                 {"barriers", r.barriers},
                                                 {"stack", r.stack},
                                                 {"cumulative_stack", r.cumulative_stack},
                                                 {"spill_stores", r.spill_stores},
                                                 {"spill_loads", r.spill_loads},
                                                 {"smem", r.smem_static},
                                                 {"lmem", r.lmem},
                                                 {"textures", r.textures},
                                                 {"samplers", r.samplers},
                                                 {"surfaces", r.surfaces}};
  for (const auto& [name, figure] : figures)
    if (figure != 0) row[name] = figure;
  for (const auto& [bank, bytes] : r.cmem) row["cmem"][std::to_string(bank)] = bytes;
  for (const Note& note : r.notes) row["notes"].push_back(note.code);
  if (!r.warnings.empty()) row["warnings"] = r.warnings.size();
  return row;
}

/// "spill_stores 16": the verdict over the kernel and every device function, or why there is none.
std::string verdict_of(const PtxasLog& log, const std::string& name) {
  try {
    const ResourceReport v = log.verdict(name);
    return "registers " + std::to_string(v.registers) + ", stack " + std::to_string(v.stack) +
           ", spills " + std::to_string(v.spill_stores) + "/" + std::to_string(v.spill_loads);
  } catch (const MissingRecord& e) {
    return e.what();
  }
}

Json rows_of(const PtxasLog& log) {
  Json out;
  out["functions"] = Json::object();
  for (const auto& [name, report] : log.functions) {
    Json row = row_of(report);
    if (report.entry) row["verdict"] = verdict_of(log, name);
    out["functions"][name] = std::move(row);
  }
  if (log.gmem) out["gmem"] = log.gmem;
  for (const auto& [bank, bytes] : log.gmem_cmem) out["cmem"][std::to_string(bank)] = bytes;
  for (const Note& n : log.notes)
    out["notes"].push_back(n.code + (n.performance_loss ? " loss" : "") +
                           (n.function.empty() ? "" : " in " + n.function));
  if (!log.warnings.empty()) out["warnings"] = log.warnings;
  if (!log.errors.empty()) out["errors"] = log.errors;
  if (!log.unknown.empty()) out["unknown"] = log.unknown;
  return out;
}

}  // namespace

TEST_CASE("every log means the rows that stand beside it") {
  const std::vector<std::string> names = logs::names();
  CHECK(names.size() >= 25);
  for (const std::string& name : names) {
    const std::string rows = rows_of(parse_ptxas_log(logs::text(name))).dump(2) + "\n";
    const std::string wrong =
        barline::test::golden_difference(logs::folder() + name + ".json", rows);
    INFO(wrong);
    CHECK(wrong.empty());
  }
}

TEST_CASE("nvJitLink's summary counts where there is no record, and is held against one") {
  const std::string summary =
      "info    : Function properties for 'k':\n"
      "info    : used 11 registers, used 1 barriers, 0 stack, 1536 bytes smem, 0 bytes lmem\n";
  CHECK(parse_ptxas_log(summary).functions.at("k").registers == 11);
  CHECK_FALSE(parse_ptxas_log(summary).functions.at("k").conflicting);
  const std::string real = logs::text("nvjitlink13.sm_90a");  // 10 registers
  CHECK(parse_ptxas_log(real + summary).functions.at("k").conflicting);
  CHECK(parse_ptxas_log(logs::text("nvjitlink13.only_verbose")).kernel("k").smem_static == 512);
}
