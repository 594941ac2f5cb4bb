// SPDX-License-Identifier: Apache-2.0
// The difference of two texts by lines.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace barline::tools {

/// Lines of `before` that are gone with "- ", lines of `after` that are new with "+ ", and up to
/// `context` equal lines around them with "  "; "..." where equal lines are left out. Empty for
/// equal texts. A minimal difference up to 4000 changed lines, everything replaced beyond.
std::string line_diff(std::string_view before, std::string_view after, int context = 2);

struct DiffLine {
  char mark;  ///< ' ' in both (the text is `after`'s), '-' gone, '+' new
  std::string_view text;
};

/// All lines of the difference. Lines are equal where `key` gives the same for both.
std::vector<DiffLine> diff_lines(std::string_view before, std::string_view after,
                                 const std::function<std::string(std::string_view)>& key);

}  // namespace barline::tools
