// SPDX-License-Identifier: Apache-2.0
#include "runtime/regions/table.h"

#include <fmt/format.h>

#include <stdexcept>

namespace barline::regions {

std::string to_text(std::span<const Region> table) {
  std::string text;
  for (const Region& r : table)
    text += fmt::format("{}{} {}{}{}", text.empty() ? "" : "\n", r.name, name(r.klass),
                        r.where.empty() ? "" : " ", r.where);
  return text;
}

std::vector<Region> parse_table(std::string_view text) {
  std::vector<Region> table;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    const auto name_end = line.find(' ');
    if (name_end == 0 || name_end == line.npos)
      throw std::invalid_argument(fmt::format(
          "table of regions: '{}' is not 'name class where'; build the kernel again", line));
    std::string_view rest = line.substr(name_end + 1);
    const std::string_view word = rest.substr(0, rest.find(' '));
    const auto klass = parse_class(word);
    if (!klass)
      throw std::invalid_argument(
          fmt::format("table of regions: '{}' has the unknown class '{}'; build the kernel again",
                      line.substr(0, name_end), word));
    rest.remove_prefix(std::min(rest.size(), word.size() + 1));
    table.push_back({std::string(line.substr(0, name_end)), *klass, std::string(rest)});
  }
  return table;
}

}  // namespace barline::regions
