// SPDX-License-Identifier: Apache-2.0
// Two runs of the gate side by side: what each figure was and is, config by config, with the sums.
#pragma once

#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <vector>

namespace barline::verify {

/// The text is no report of the gate; the message says what is wrong with it.
struct BaselineError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct GateChange {
  std::string config{}, target{};
  std::string figure{};  ///< "registers"; empty: the row came or went
  int before = 0, after = 0;
  bool better = false;  ///< of a figure: fewer, or, of ctas_per_sm, more
  bool came = false, went = false;
};

struct GateChanges {
  std::string assembler_before{}, assembler_after{};
  int compared = 0;                   ///< rows that both reports have
  std::vector<GateChange> changes{};  ///< in the order of the later report
};

/// Compares two JSON reports of the gate. `whole`: the later one is of all configs, so that a row
/// that it lacks went. Throws BaselineError for a `before` of another form.
GateChanges compare_reports(const nlohmann::ordered_json& before,
                            const nlohmann::ordered_json& after, bool whole);

nlohmann::ordered_json to_json(const GateChanges& changes);
/// A table of the changes and one line a figure: its sum, and how many it helped and hurt.
std::string to_text(const GateChanges& changes);
/// The same as Markdown; of a long table the first rows.
std::string to_markdown(const GateChanges& changes);
inline constexpr std::size_t markdown_changes_bytes = 64 << 10;

}  // namespace barline::verify
