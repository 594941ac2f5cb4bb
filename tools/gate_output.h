// SPDX-License-Identifier: Apache-2.0
// Where the gate's report goes: one form on stdout, others of the same run into files, and beside
// an earlier run where one is named.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "tools/context.h"
#include "verify/gate/gate.h"

namespace barline::tools {

/// The names of the forms: text, json, junit, sarif, github, markdown.
const std::vector<std::string>& gate_formats();

struct GateOutputOptions {
  std::string format = "text";
  std::vector<std::string> files{};  ///< FORMAT=FILE
  std::string baseline{};            ///< JSON of an earlier run
  bool whole = true;                 ///< the run is of all configs
};

class GateOutput {
 public:
  /// Checks the forms, that each file can be written, and reads the baseline: what is wrong is said
  /// before long work. Throws UsageError and IoError.
  GateOutput(const Context& context, const GateOutputOptions& options);

  /// Prints and writes all forms.
  void write(verify::GateReport report) const;

 private:
  struct Form {
    std::string format, path;  ///< an empty path is stdout
  };
  std::string render(const verify::GateReport& report, const std::string& format) const;

  std::vector<Form> forms_;
  std::optional<nlohmann::ordered_json> baseline_;
  bool whole_;
};

/// `path` from the current folder where it lies below it: what a forge takes for a place in the
/// repository.
std::string shown_path(const std::string& path);

}  // namespace barline::tools
