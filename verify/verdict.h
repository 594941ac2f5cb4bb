// SPDX-License-Identifier: Apache-2.0
// Verdict: what every judge of verify/ answers, and how verdicts of parts make that of the whole.
#pragma once

#include <cstdint>
#include <string_view>

namespace barline::verify {

/// Proved: holds for everything that the report says was enumerated. Checked: held on what was run.
/// Unknown: neither shown nor refuted. Skipped: not run, for a stated reason.
enum class Verdict : std::uint8_t { Proved, Checked, Skipped, Unknown, Refuted };

constexpr std::string_view name(Verdict v) {
  constexpr std::string_view names[] = {"PROVED", "CHECKED", "SKIPPED", "UNKNOWN", "REFUTED"};
  return names[static_cast<int>(v)];
}

/// The verdict of two parts together: the worse of them.
constexpr Verdict worse(Verdict a, Verdict b) { return a < b ? b : a; }

}  // namespace barline::verify
