// SPDX-License-Identifier: Apache-2.0
#include "tools/gate_output.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "tools/error.h"
#include "tools/file.h"
#include "tools/settings.h"
#include "verify/gate/gate_changes.h"
#include "verify/gate/gate_formats.h"
#include "verify/gate/gate_report.h"
#include "verify/gate/suggest.h"

namespace barline::tools {
namespace {

constexpr std::size_t max_baseline_bytes = 64u << 20;

nlohmann::ordered_json read_baseline(const std::string& path) {
  auto json = nlohmann::ordered_json::parse(read_file(path, max_baseline_bytes), nullptr, false);
  try {
    verify::compare_reports(json, json, false);  // a baseline is judged before long work
  } catch (const verify::BaselineError& e) {
    throw UsageError(
        fmt::format("{} is no report of the gate: {}; make one with `barline gate "
                    "--report json={}`",
                    path, e.what(), path));
  }
  return json;
}

bool shows_changes(const std::string& format) {
  return format == "text" || format == "json" || format == "markdown";
}

}  // namespace

const std::vector<std::string>& gate_formats() {
  static const std::vector<std::string> names = {"text",  "json",   "junit",
                                                 "sarif", "github", "markdown"};
  return names;
}

GateOutput::GateOutput(const Context& context, const GateOutputOptions& options)
    : whole_(options.whole) {
  forms_.push_back({context.json ? "json" : options.format, ""});
  for (const std::string& word : options.files) {
    auto [format, path] = name_and_value(word, "--report");
    const auto& known = gate_formats();
    if (std::find(known.begin(), known.end(), format) == known.end()) {
      throw UsageError(fmt::format("--report {}: unknown form '{}'; {}", word, format,
                                   verify::did_you_mean(format, known)));
    }
    check_output(path);
    forms_.push_back({format, path});
  }
  if (options.baseline.empty()) return;
  bool shown =
      std::any_of(forms_.begin(), forms_.end(), [](auto& f) { return shows_changes(f.format); });
  if (!shown) {
    throw UsageError(
        "--baseline is shown in text, json and markdown; add --report markdown=FILE, say");
  }
  baseline_ = read_baseline(options.baseline);
}

void GateOutput::write(verify::GateReport report) const {
  report.file = shown_path(report.file);
  for (const Form& form : forms_) {
    std::string text = render(report, form.format);
    form.path.empty() ? print_out(text) : write_file(form.path, text);
  }
}

std::string GateOutput::render(const verify::GateReport& report, const std::string& format) const {
  if (format == "junit") return verify::to_junit(report);
  if (format == "sarif") return verify::to_sarif(report);
  if (format == "github") return verify::to_github(report);
  nlohmann::ordered_json json = verify::to_json(report);
  std::optional<verify::GateChanges> changes;
  if (baseline_) changes = verify::compare_reports(*baseline_, json, whole_);
  if (format == "json") {
    if (changes) json["changes"] = verify::to_json(*changes);
    return json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
  }
  bool markdown = format == "markdown";
  std::string out = markdown ? verify::to_markdown(report) : verify::to_text(report);
  if (!changes) return out;
  return out + (markdown ? verify::to_markdown(*changes) : verify::to_text(*changes));
}

std::string shown_path(const std::string& path) {
  std::error_code error;
  std::filesystem::path here = std::filesystem::current_path(error), full = path;
  if (error || full.is_relative()) return path;
  std::filesystem::path relative = full.lexically_relative(here);
  bool below = !relative.empty() && *relative.begin() != "..";
  return below ? relative.string() : path;
}

}  // namespace barline::tools
