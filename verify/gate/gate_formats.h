// SPDX-License-Identifier: Apache-2.0
// The gate's answer in the forms that continuous integration reads. Each names verdict, reason and
// place of what is wrong, worst first.
#pragma once

#include <string>

#include "verify/gate/gate.h"

namespace barline::verify {

/// JUnit XML: one test case a row, and one for a problem of the register. What was not measured is
/// an <error>, a budget that does not hold a <failure>.
std::string to_junit(const GateReport& report);

/// SARIF 2.1.0, one run: a result for each row that is not OK.
std::string to_sarif(const GateReport& report);

/// GitHub workflow commands: one ::error or ::warning a config, at most ten of each, as many as a
/// step shows; the tenth then says how many more there are.
std::string to_github(const GateReport& report);
inline constexpr std::size_t github_annotations = 10;

/// What is wrong as a Markdown table, and all rows folded below it; under the 1 MiB that a step
/// summary may have.
std::string to_markdown(const GateReport& report);
inline constexpr std::size_t markdown_bytes = 900 << 10;

}  // namespace barline::verify
