// SPDX-License-Identifier: Apache-2.0
#include "verify/gate/gate_formats.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

namespace barline::verify {
namespace {

bool bad(const GateRow& row) { return row.verdict != GateVerdict::Ok; }

std::string message(const GateRow& row) {
  return fmt::format("{} {}: {}: {}", row.measured.config(), row.measured.target, name(row.verdict),
                     row.reason);
}

std::string xml(std::string_view text) {
  std::string out;
  for (char c : text) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      default: out += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
    }
  }
  return out;
}

/// The escapes of GitHub's workflow commands.
std::string workflow(std::string_view text) {
  std::string out;
  for (char c : text) {
    if (c == '%')
      out += "%25";
    else if (c == '\n')
      out += "%0A";
    else if (c == '\r')
      out += "%0D";
    else
      out += c;
  }
  return out;
}

std::string cell(std::string_view text) {
  std::string out;
  for (char c : text) {
    if (c == '|') out += '\\';
    out += c == '\n' ? ' ' : c;
  }
  return out;
}

}  // namespace

std::string to_junit(const GateReport& report) {
  std::string out = fmt::format(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuite name=\"barline gate\" tests=\"{}\" "
      "failures=\"{}\">\n",
      report.rows.size(), report.failures);
  for (const GateRow& row : report.rows) {
    out += fmt::format("  <testcase classname=\"{}\" name=\"{}\"", xml(row.measured.target),
                       xml(row.measured.config()));
    out += row.fails ? fmt::format("><failure message=\"{}\"/></testcase>\n", xml(message(row)))
                     : "/>\n";
  }
  return out + "</testsuite>\n";
}

std::string to_sarif(const GateReport& report) {
  using json = nlohmann::ordered_json;
  json results = json::array();
  for (const GateRow& row : report.rows) {
    if (!bad(row)) continue;
    json result = {{"ruleId", name(row.verdict)},
                   {"level", row.fails ? "error" : "note"},
                   {"message", {{"text", message(row)}}}};
    json place = {{"artifactLocation", {{"uri", report.file}}}};
    if (row.budget.registers) place["region"] = {{"startLine", row.budget.at.line}};
    result["locations"] = json::array({{{"physicalLocation", place}}});
    results.push_back(std::move(result));
  }
  json run = {{"tool", {{"driver", {{"name", "barline gate"}}}}}, {"results", results}};
  json out = {{"$schema", "https://json.schemastore.org/sarif-2.1.0.json"},
              {"version", "2.1.0"},
              {"runs", json::array({run})}};
  return out.dump(2, ' ', false, json::error_handler_t::replace) + "\n";
}

std::string to_github(const GateReport& report) {
  std::string out;
  for (const GateRow& row : report.rows) {
    if (!bad(row)) continue;
    std::string line = row.budget.registers ? fmt::format(",line={}", row.budget.at.line) : "";
    out += fmt::format("::{} file={}{}::{}\n", row.fails ? "error" : "warning",
                       workflow(report.file), line, workflow(message(row)));
  }
  return out;
}

std::string to_markdown(const GateReport& report) {
  std::string out =
      "| kernel | target | registers | spills | smem | stack | barriers | verdict |\n"
      "|---|---|--:|--:|--:|--:|--:|---|\n";
  for (const GateRow& row : report.rows) {
    const ResourceRow& m = row.measured;
    out += fmt::format("| {} | {} | {} | {} | {} | {} | {} | {}{}{} |\n", cell(m.config()),
                       m.target, m.registers, std::max(m.spill_stores, m.spill_loads), m.smem,
                       m.stack, m.barriers, name(row.verdict), row.reason.empty() ? "" : ": ",
                       cell(row.reason));
  }
  return out + fmt::format("\n**{}**: {} rows, {} failures, {} improved ({})\n",
                           report.passed() ? "PASS" : "FAIL", report.rows.size(), report.failures,
                           report.improved, report.assembler);
}

}  // namespace barline::verify
