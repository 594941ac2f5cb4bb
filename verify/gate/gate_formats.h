// SPDX-License-Identifier: Apache-2.0
// The gate's answer in the forms that continuous integration reads.
#pragma once

#include <string>

#include "verify/gate/gate.h"

namespace barline::verify {

/// JUnit XML: one test case a row.
std::string to_junit(const GateReport& report);
/// SARIF 2.1.0: one result a row that is not OK, at its line of kernels.yaml where it has one.
std::string to_sarif(const GateReport& report);
/// GitHub workflow commands: one ::error or ::warning line a row that is not OK.
std::string to_github(const GateReport& report);
/// A Markdown table of all rows.
std::string to_markdown(const GateReport& report);

}  // namespace barline::verify
