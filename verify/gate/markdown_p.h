// SPDX-License-Identifier: Apache-2.0
// Text inside a cell of a Markdown table.
#pragma once

#include <string>
#include <string_view>

namespace barline::verify {

inline std::string markdown_cell(std::string_view text) {
  std::string out;
  for (char c : text) {
    if (c == '|') out += '\\';
    out += c == '\n' || c == '\r' ? ' ' : c;
  }
  return out;
}

}  // namespace barline::verify
