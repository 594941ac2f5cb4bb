// SPDX-License-Identifier: Apache-2.0
#include "tools/explain_lines.h"

#include <cctype>
#include <charconv>

#include "tools/line_diff.h"

namespace barline::tools {
namespace {

constexpr std::string_view location = " @ \"";

std::string_view without_location(std::string_view line) {
  return line.substr(0, line.rfind(location));
}

/// The line as lines are compared: no location, and %12 as %.
std::string shape_of(std::string_view line) {
  std::string out;
  line = without_location(line);
  for (std::size_t i = 0; i < line.size(); ++i) {
    out += line[i];
    if (line[i] != '%') continue;
    while (i + 1 < line.size() && std::isdigit(static_cast<unsigned char>(line[i + 1]))) ++i;
  }
  return out;
}

/// `.. @ "file":line:column`
IrLine parsed(std::string_view line, char mark) {
  IrLine out{mark, std::string(without_location(line)), {}, 0};
  const std::size_t at = line.rfind(location);
  if (at == line.npos) return out;
  const std::string_view place = line.substr(at + location.size());
  const std::size_t quote = place.find('"');
  if (quote == place.npos || quote + 2 > place.size()) return out;
  std::from_chars(place.data() + quote + 2, place.data() + place.size(), out.line);
  out.file = place.substr(0, quote);
  return out;
}

}  // namespace

std::vector<IrLine> ir_lines(std::string_view before, std::string_view after) {
  std::vector<IrLine> out;
  const bool first = before.empty();
  for (const DiffLine& line : diff_lines(before, after, shape_of))
    out.push_back(parsed(line.text, first ? ' ' : line.mark));
  return out;
}

}  // namespace barline::tools
