// SPDX-License-Identifier: Apache-2.0
// `name=value` on the command line.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

namespace barline::tools {

/// Throws UsageError that names `option` where either side is missing.
std::pair<std::string, std::string> name_and_value(const std::string& text, const char* option);

/// --set words: sizes and scalars by name. Throws UsageError for a value that is no number.
std::map<std::string, double> parse_settings(const std::vector<std::string>& words);

}  // namespace barline::tools
