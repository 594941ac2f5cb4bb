// SPDX-License-Identifier: Apache-2.0
// Longest common subsequence by dynamic programming between the common head and tail.
#include "tools/line_diff.h"

#include <algorithm>
#include <cstdint>
#include <unordered_map>

namespace barline::tools {
namespace {

using Lines = std::vector<std::string_view>;
/// Lines as numbers that are equal where lines are.
using Ids = std::vector<std::uint32_t>;

Lines split(std::string_view text) {
  Lines out;
  while (!text.empty()) {
    std::size_t end = std::min(text.find('\n'), text.size());
    out.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

/// Where a stretch of both texts is the middle of the difference.
struct Side {
  const Lines& lines;
  const Ids& ids;
  std::size_t first, last;
  std::size_t size() const { return last - first; }
};

void diff_middle(const Side& a, const Side& b, std::vector<DiffLine>& out) {
  constexpr std::size_t limit = 4000;
  const std::size_t n = a.size(), m = b.size(), width = m + 1;
  auto gone = [&](std::size_t i) { out.push_back({'-', a.lines[a.first + i]}); };
  auto come = [&](std::size_t j) { out.push_back({'+', b.lines[b.first + j]}); };
  if (n > limit || m > limit) {
    for (std::size_t i = 0; i < n; ++i) gone(i);
    for (std::size_t j = 0; j < m; ++j) come(j);
    return;
  }
  auto equal = [&](std::size_t i, std::size_t j) {
    return a.ids[a.first + i] == b.ids[b.first + j];
  };
  std::vector<std::uint16_t> common((n + 1) * width, 0);  // of the suffixes from i and j on
  for (std::size_t i = n; i-- > 0;) {
    for (std::size_t j = m; j-- > 0;) {
      std::uint16_t& cell = common[i * width + j];
      cell = equal(i, j) ? static_cast<std::uint16_t>(common[(i + 1) * width + j + 1] + 1)
                         : std::max(common[(i + 1) * width + j], common[i * width + j + 1]);
    }
  }
  std::size_t i = 0, j = 0;
  while (i < n || j < m) {
    if (i < n && j < m && equal(i, j)) {
      out.push_back({' ', b.lines[b.first + j++]}), ++i;
    } else if (i < n && (j == m || common[(i + 1) * width + j] >= common[i * width + j + 1])) {
      gone(i++);
    } else {
      come(j++);
    }
  }
}

}  // namespace

std::vector<DiffLine> diff_lines(std::string_view before, std::string_view after,
                                 const std::function<std::string(std::string_view)>& key) {
  const Lines a = split(before), b = split(after);
  std::unordered_map<std::string, std::uint32_t> known;
  auto ids_of = [&](const Lines& lines) {
    Ids ids;
    for (std::string_view line : lines)
      ids.push_back(
          known.try_emplace(key(line), static_cast<std::uint32_t>(known.size())).first->second);
    return ids;
  };
  const Ids left = ids_of(a), right = ids_of(b);
  std::size_t head = 0, tail = 0, least = std::min(a.size(), b.size());
  while (head < least && left[head] == right[head]) ++head;
  while (tail < least - head && left[a.size() - 1 - tail] == right[b.size() - 1 - tail]) ++tail;
  std::vector<DiffLine> lines;
  for (std::size_t i = 0; i < head; ++i) lines.push_back({' ', b[i]});
  diff_middle({a, left, head, a.size() - tail}, {b, right, head, b.size() - tail}, lines);
  for (std::size_t i = b.size() - tail; i < b.size(); ++i) lines.push_back({' ', b[i]});
  return lines;
}

std::string line_diff(std::string_view before, std::string_view after, int context) {
  const std::vector<DiffLine> lines =
      diff_lines(before, after, [](std::string_view line) { return std::string(line); });
  const long count = static_cast<long>(lines.size());
  std::vector<bool> shown(lines.size(), false);
  bool differ = false;
  for (long i = 0; i < count; ++i) {
    if (lines[static_cast<std::size_t>(i)].mark == ' ') continue;
    differ = true;
    for (long k = std::max(0L, i - context); k <= std::min(count - 1, i + context); ++k) {
      shown[static_cast<std::size_t>(k)] = true;
    }
  }
  if (!differ) return {};
  std::string out;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (shown[i]) {
      out += std::string(1, lines[i].mark) + " " + std::string(lines[i].text) + "\n";
    } else if (i > 0 && shown[i - 1]) {
      out += "  ...\n";
    }
  }
  return out;
}

}  // namespace barline::tools
