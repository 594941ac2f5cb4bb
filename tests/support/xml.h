// SPDX-License-Identifier: Apache-2.0
// Is a text well-formed XML? As far as generated drawings need: elements, attributes in double
// quotes, the five entities; no prolog, comments or CDATA.
#pragma once

#include <regex>
#include <string>
#include <vector>

namespace barline::test {

/// What is wrong first, or "".
inline std::string xml_error(const std::string& text) {
  static const std::regex tag(R"re(<(/?)([a-z][a-zA-Z]*)((?: [a-zA-Z0-9:]+="(?:[^"<>&]|&(?:amp|lt|gt|quot|apos);)*")*)(/?)>)re");
  static const std::regex entity("&(amp|lt|gt|quot|apos);");
  std::vector<std::string> open;
  auto check_text = [&](const std::string& words) {
    std::string rest = std::regex_replace(words, entity, "");
    auto at = rest.find_first_of("<>&");
    return at == std::string::npos ? "" : "bare '" + rest.substr(at, 20) + "'";
  };
  auto at = text.cbegin();
  for (std::smatch m; std::regex_search(at, text.cend(), m, tag); at = m.suffix().first) {
    if (std::string e = check_text(m.prefix()); !e.empty()) return e;
    if (open.empty() && at != text.cbegin()) return "a second root: " + m.str();
    if (m[1].length()) {
      if (open.empty() || open.back() != m[2]) return "closes what is not open: " + m.str();
      open.pop_back();
    } else if (!m[4].length()) {
      open.push_back(m[2]);
    }
  }
  if (std::string e = check_text({at, text.cend()}); !e.empty()) return e;
  return open.empty() ? "" : "not closed: " + open.back();
}

}  // namespace barline::test
