// SPDX-License-Identifier: Apache-2.0
// "Did you mean": the nearest known name to an unknown one.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace barline::verify {

/// The candidate nearest to `name` by edit distance, or "" when none is near (more than a third of
/// the letters differ, at least two).
std::string nearest(std::string_view name, const std::vector<std::string>& candidates);

/// The fix part of a message about an unknown name: "did you mean 'x'?", or "known: a, b, c".
std::string did_you_mean(std::string_view name, const std::vector<std::string>& candidates);

}  // namespace barline::verify
