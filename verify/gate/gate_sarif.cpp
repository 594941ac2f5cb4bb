// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "verify/gate/gate_findings.h"
#include "verify/gate/gate_formats.h"

namespace barline::verify {
namespace {

using json = nlohmann::ordered_json;

/// "no-ptxas"
std::string rule_id(GateVerdict v) {
  std::string out;
  for (char c : name(v)) out += c == ' ' ? '-' : static_cast<char>(c | 0x20);
  return out;
}

json rules() {
  json out = json::array();
  for (int i = 1; i < gate_verdict_count; ++i) {
    auto v = static_cast<GateVerdict>(i);
    out.push_back({{"id", rule_id(v)},
                   {"name", name(v)},
                   {"shortDescription", {{"text", meaning(v)}}},
                   {"help", {{"text", advice(v)}}}});
  }
  return out;
}

/// A path as a URI reference: what is no unreserved character or slash is escaped.
std::string uri(std::string_view path) {
  std::string out;
  for (char c : path) {
    bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                 std::string_view("-._~/").find(c) != std::string_view::npos;
    out += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return out;
}

json result(const GateReport& report, GateVerdict verdict, bool fails, Mark at,
            const std::string& subject, const std::string& reason) {
  json artifact = {{"uri", (report.file.starts_with('/') ? "file://" : "") + uri(report.file)}};
  if (!report.file.starts_with('/')) artifact["uriBaseId"] = "%SRCROOT%";
  json region = {{"startLine", at.line}, {"startColumn", at.column}};
  json place = {{"artifactLocation", artifact}, {"region", region}};
  std::string text =
      fmt::format("{}{}: {}", name(verdict), subject.empty() ? "" : " " + subject, reason);
  return {{"ruleId", rule_id(verdict)},
          {"ruleIndex", static_cast<int>(verdict) - 1},
          {"level", fails ? "error" : "warning"},
          {"message", {{"text", text}}},
          {"locations", json::array({{{"physicalLocation", place}}})},
          // What stays the same while line numbers move, so that one alert is not opened twice.
          {"partialFingerprints", {{"barlineConfig/v1", rule_id(verdict) + " " + subject}}}};
}

}  // namespace

std::string to_sarif(const GateReport& report) {
  std::vector<const GateRow*> rows;
  for (const GateRow& row : report.rows)
    if (row.verdict != GateVerdict::Ok) rows.push_back(&row);
  std::stable_sort(rows.begin(), rows.end(),
                   [](const GateRow* a, const GateRow* b) { return a->verdict > b->verdict; });
  json results = json::array();
  if (const auto& p = report.problem) {
    results.push_back(result(report, p->verdict, true, p->at, "", p->reason));
  }
  for (const GateRow* row : rows) {
    const ResourceRow& m = row->measured;
    results.push_back(result(report, row->verdict, row->fails, row->at,
                             m.config() + " on " + m.target, row->reason));
  }
  json driver = {{"name", "barline gate"}, {"rules", rules()}};
  json run = {
      {"tool", {{"driver", driver}}}, {"columnKind", "utf16CodeUnits"}, {"results", results}};
  json out = {{"$schema", "https://json.schemastore.org/sarif-2.1.0.json"},
              {"version", "2.1.0"},
              {"runs", json::array({run})}};
  return out.dump(2, ' ', false, json::error_handler_t::replace) + "\n";
}

}  // namespace barline::verify
