// SPDX-License-Identifier: Apache-2.0
#include "tools/html.h"

namespace barline::tools {

std::string html(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (char c : text) switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      default: out += c;
    }
  return out;
}

std::string html_block(std::string_view text) { return "<pre>" + html(text) + "</pre>\n"; }

}  // namespace barline::tools
