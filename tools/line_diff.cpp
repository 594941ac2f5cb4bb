// SPDX-License-Identifier: Apache-2.0
// Longest common subsequence by dynamic programming between the common head and tail.
#include "tools/line_diff.h"

#include <algorithm>
#include <cstdint>
#include <vector>

namespace barline::tools {
namespace {

using Lines = std::vector<std::string_view>;

Lines split(std::string_view text) {
  Lines out;
  while (!text.empty()) {
    std::size_t end = std::min(text.find('\n'), text.size());
    out.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

struct Line {
  char mark;  ///< ' ', '-' or '+'
  std::string_view text;
};

void diff_middle(const Lines& a, const Lines& b, std::vector<Line>& out) {
  constexpr std::size_t limit = 4000;
  const std::size_t n = a.size(), m = b.size(), width = m + 1;
  if (n > limit || m > limit) {
    for (std::string_view line : a) out.push_back({'-', line});
    for (std::string_view line : b) out.push_back({'+', line});
    return;
  }
  std::vector<std::uint16_t> common((n + 1) * width, 0);  // of the suffixes from i and j on
  for (std::size_t i = n; i-- > 0;) {
    for (std::size_t j = m; j-- > 0;) {
      std::uint16_t& cell = common[i * width + j];
      cell = a[i] == b[j] ? static_cast<std::uint16_t>(common[(i + 1) * width + j + 1] + 1)
                          : std::max(common[(i + 1) * width + j], common[i * width + j + 1]);
    }
  }
  std::size_t i = 0, j = 0;
  while (i < n || j < m) {
    if (i < n && j < m && a[i] == b[j]) {
      out.push_back({' ', a[i++]}), ++j;
    } else if (i < n && (j == m || common[(i + 1) * width + j] >= common[i * width + j + 1])) {
      out.push_back({'-', a[i++]});
    } else {
      out.push_back({'+', b[j++]});
    }
  }
}

}  // namespace

std::string line_diff(std::string_view before, std::string_view after, int context) {
  Lines a = split(before), b = split(after);
  std::size_t head = 0, tail = 0, least = std::min(a.size(), b.size());
  while (head < least && a[head] == b[head]) ++head;
  while (tail < least - head && a[a.size() - 1 - tail] == b[b.size() - 1 - tail]) ++tail;
  std::vector<Line> lines;
  for (std::size_t i = 0; i < head; ++i) lines.push_back({' ', a[i]});
  diff_middle({a.begin() + static_cast<long>(head), a.end() - static_cast<long>(tail)},
              {b.begin() + static_cast<long>(head), b.end() - static_cast<long>(tail)}, lines);
  for (std::size_t i = a.size() - tail; i < a.size(); ++i) lines.push_back({' ', a[i]});
  const long count = static_cast<long>(lines.size());
  std::vector<bool> shown(lines.size(), false);
  for (long i = 0; i < count; ++i) {
    if (lines[static_cast<std::size_t>(i)].mark == ' ') continue;
    for (long k = std::max(0L, i - context); k <= std::min(count - 1, i + context); ++k) {
      shown[static_cast<std::size_t>(k)] = true;
    }
  }
  std::string out;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (shown[i]) {
      out += std::string(1, lines[i].mark) + " " + std::string(lines[i].text) + "\n";
    } else if (i > 0 && shown[i - 1]) {
      out += "  ...\n";
    }
  }
  return out.find_first_of("+-") == std::string::npos && head == a.size() && a.size() == b.size()
             ? std::string()
             : out;
}

}  // namespace barline::tools
