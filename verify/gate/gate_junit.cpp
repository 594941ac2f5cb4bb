// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "verify/gate/gate_findings.h"
#include "verify/gate/gate_formats.h"
#include "verify/markup.h"

namespace barline::verify {
namespace {

/// XML 1.0 has no word for control characters.
std::string xml(std::string_view text) {
  std::string plain(text);
  for (char& c : plain)
    if (static_cast<unsigned char>(c) < 0x20) c = ' ';
  return markup(plain);
}

bool unmeasured(GateVerdict v) { return v >= GateVerdict::NoPtxas; }

std::string fault(const GateReport& report, GateVerdict verdict, Mark at,
                  const std::string& reason) {
  const char* tag = unmeasured(verdict) ? "error" : "failure";
  return fmt::format("<{0} type=\"{1}\" message=\"{1}: {2}\">{3}: {4}</{0}>", tag,
                     xml(name(verdict)), xml(reason), xml(place(report, at)), xml(advice(verdict)));
}

std::string test_case(const GateReport& report, const std::string& group, const std::string& name,
                      Mark at, double ms, const std::string& fault) {
  std::string head = fmt::format(
      "  <testcase classname=\"{}\" name=\"{}\" file=\"{}\" line=\"{}\" time=\"{:.3f}\"",
      xml(group), xml(name), xml(report.file), at.line, ms / 1000);
  return head + (fault.empty() ? "/>\n" : fmt::format(">{}</testcase>\n", fault));
}

}  // namespace

std::string to_junit(const GateReport& report) {
  int failures = 0, errors = 0;
  std::string cases;
  auto add = [&](const std::string& group, const std::string& name, Mark at, double ms,
                 GateVerdict verdict, bool fails, const std::string& reason) {
    (unmeasured(verdict) ? errors : failures) += fails;
    cases += test_case(report, group, name, at, ms,
                       fails ? fault(report, verdict, at, reason) : std::string());
  };
  if (const auto& p = report.problem) {
    add("register", report.file, p->at, 0, p->verdict, true, p->reason);
  }
  for (const GateRow& row : report.rows) {
    const ResourceRow& m = row.measured;
    add(m.target, m.config(), row.at, m.compile_ms, row.verdict, row.fails, row.reason);
  }
  return fmt::format(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuite name=\"barline gate\" tests=\"{}\" "
      "failures=\"{}\" errors=\"{}\">\n{}</testsuite>\n",
      report.rows.size() + report.problem.has_value(), failures, errors, cases);
}

}  // namespace barline::verify
