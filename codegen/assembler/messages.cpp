// SPDX-License-Identifier: Apache-2.0
// A complaint reads "ptxas FILE, line N; error   : text", or "ptxas fatal   : text" without a
// place.
#include "codegen/assembler/messages_p.h"

#include <fmt/format.h>

#include <charconv>

namespace barline::codegen {
namespace {

constexpr int shown_at_most = 20;

std::string_view next_line(std::string_view& text) {
  std::size_t end = text.find('\n');
  std::string_view line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return line;
}

std::string_view nth_line(std::string_view text, int number) {
  for (; number > 1 && !text.empty(); --number) next_line(text);
  return next_line(text);
}

std::string_view trim(std::string_view text) {
  std::size_t begin = text.find_first_not_of(" \t\r");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r") - begin + 1);
}

bool is_error(std::string_view line) {
  for (std::string_view kind : {"error", "fatal"}) {
    std::size_t at = line.find(kind);
    if (at == std::string_view::npos) continue;
    if (trim(line.substr(at + kind.size())).starts_with(':')) return true;
  }
  return false;
}

// 0 when the message names no line.
int line_number(std::string_view message) {
  std::size_t at = message.find(", line ");
  if (at == std::string_view::npos) return 0;
  int number = 0;
  std::from_chars(message.data() + at + 7, message.data() + message.size(), number);
  return number;
}

}  // namespace

std::string explain_errors(std::string_view log, std::string_view ptx) {
  std::string out;
  int shown = 0, hidden = 0;
  for (std::string_view rest = log; !rest.empty();) {
    std::string_view line = trim(next_line(rest));
    if (!is_error(line)) continue;
    if (line.find("Ptx assembly aborted") != std::string_view::npos && shown > 0) continue;
    if (++shown > shown_at_most) {
      ++hidden;
      continue;
    }
    out += fmt::format("  {}\n", line);
    if (int number = line_number(line); number > 0)
      out += fmt::format("    {} | {}\n", number, trim(nth_line(ptx, number)));
  }
  if (hidden > 0) out += fmt::format("  and {} more\n", hidden);
  return shown ? out : fmt::format("  {}\n", trim(log.substr(0, 4000)));
}

}  // namespace barline::codegen
