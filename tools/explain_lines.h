// SPDX-License-Identifier: Apache-2.0
// The IR after a pass, line by line: where each line comes from and what the pass did to it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace barline::tools {

struct IrLine {
  char mark = ' ';  ///< '-' gone, '+' new, ' ' as before
  std::string text;
  std::string file;  ///< of the author's source; empty: of no line there
  int line = 0;
};

/// A kernel's text with locations (ir::PrintOptions) against the text before the pass; empty before
/// the first. Lines are the same when they differ in the numbers of values alone: a pass that adds
/// one value renumbers all that follow.
std::vector<IrLine> ir_lines(std::string_view before, std::string_view after);

}  // namespace barline::tools
