// SPDX-License-Identifier: Apache-2.0
#include "tools/settings.h"

#include <fmt/format.h>

#include "tools/error.h"

namespace barline::tools {

std::pair<std::string, std::string> name_and_value(const std::string& text, const char* option) {
  std::size_t eq = text.find('=');
  if (eq == text.npos || eq == 0 || eq + 1 == text.size())
    throw UsageError(fmt::format("{} '{}': write name=value", option, text));
  return {text.substr(0, eq), text.substr(eq + 1)};
}

std::map<std::string, double> parse_settings(const std::vector<std::string>& words) {
  std::map<std::string, double> settings;
  for (const std::string& word : words) {
    auto [name, value] = name_and_value(word, "--set");
    std::size_t used = 0;
    try {
      settings[name] = std::stod(value, &used);
    } catch (const std::exception&) {
    }
    if (used != value.size())
      throw UsageError(fmt::format("--set {}: '{}' is no number", name, value));
  }
  return settings;
}

}  // namespace barline::tools
