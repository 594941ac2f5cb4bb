// SPDX-License-Identifier: Apache-2.0
// Edit distance with transpositions, so that "sm_08" and "rsm_norm" find their neighbours.
#include "verify/gate/suggest.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

namespace barline::verify {
namespace {

int distance(std::string_view a, std::string_view b) {
  std::vector<int> before(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) last[j] = static_cast<int>(j);
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = static_cast<int>(i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (a[i - 1] != b[j - 1])});
      bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) row[j] = std::min(row[j], before[j - 2] + 1);
    }
    before = std::exchange(last, row);
  }
  return last[b.size()];
}

}  // namespace

std::string nearest(std::string_view name, const std::vector<std::string>& candidates) {
  constexpr std::size_t longest = 64;  // longer names are noise, and the distance is quadratic
  if (name.size() > longest) return {};
  int best = std::max<int>(2, static_cast<int>(name.size()) / 3) + 1;
  std::string found;
  for (const std::string& c : candidates) {
    if (c.size() > longest) continue;
    if (int d = distance(name, c); d < best && d < static_cast<int>(c.size())) {
      best = d;
      found = c;
    }
  }
  return found;
}

std::string did_you_mean(std::string_view name, const std::vector<std::string>& candidates) {
  if (std::string near = nearest(name, candidates); !near.empty()) {
    return fmt::format("did you mean '{}'?", near);
  }
  if (candidates.empty()) return "none is known";
  std::vector<std::string> some(candidates.begin(),
                                candidates.begin() + std::min<std::size_t>(candidates.size(), 12));
  return fmt::format("known: {}{}", fmt::join(some, ", "),
                     some.size() < candidates.size() ? ", ..." : "");
}

}  // namespace barline::verify
