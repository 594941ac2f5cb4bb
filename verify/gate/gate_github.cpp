// SPDX-License-Identifier: Apache-2.0
// A step shows ten errors and ten warnings and drops the rest without a word, so the gate itself
// says what was dropped.
#include <fmt/format.h>

#include "verify/gate/gate_findings.h"
#include "verify/gate/gate_formats.h"

namespace barline::verify {
namespace {

/// The escapes of GitHub's workflow commands; a property's value also escapes what ends it.
std::string escaped(std::string_view text, bool property) {
  std::string out;
  for (char c : text) {
    bool special = c == '%' || c == '\n' || c == '\r' || (property && (c == ':' || c == ','));
    out += special ? fmt::format("%{:02X}", static_cast<unsigned char>(c)) : std::string(1, c);
  }
  return out;
}

std::string annotation(const GateReport& report, const char* level, Mark at,
                       const std::string& title, const std::string& text) {
  return fmt::format("::{} file={},line={},col={},title={}::{}\n", level,
                     escaped(report.file, true), at.line, at.column, escaped(title, true),
                     escaped(text, false));
}

std::string annotations(const GateReport& report, const std::vector<GateFinding>& all, bool fails) {
  std::vector<const GateFinding*> list;
  for (const GateFinding& f : all)
    if (f.fails == fails) list.push_back(&f);
  const char* level = fails ? "error" : "warning";
  bool cut = list.size() > github_annotations;
  std::size_t shown = cut ? github_annotations - 1 : list.size();
  std::string out;
  for (std::size_t i = 0; i < shown; ++i) {
    const GateFinding& f = *list[i];
    out += annotation(report, level, f.at, f.title(),
                      fmt::format("{}; {}", f.reason, advice(f.verdict)));
  }
  if (!cut) return out;
  const GateFinding& next = *list[shown];
  return out + annotation(report, level, next.at, fmt::format("{} more", list.size() - shown),
                          fmt::format("{} and {} more are not shown here; the step summary has all",
                                      next.title(), list.size() - shown - 1));
}

}  // namespace

std::string to_github(const GateReport& report) {
  std::vector<GateFinding> all = findings(report);
  return annotations(report, all, true) + annotations(report, all, false) + summary(report) + "\n";
}

}  // namespace barline::verify
