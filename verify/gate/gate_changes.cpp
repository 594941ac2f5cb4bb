// SPDX-License-Identifier: Apache-2.0
#include "verify/gate/gate_changes.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "verify/gate/markdown_p.h"

namespace barline::verify {
namespace {

using json = nlohmann::ordered_json;

struct Figure {
  const char* name;
  bool more_is_better;
};
constexpr Figure figures[] = {{"registers", false},
                              {"spill_stores", false},
                              {"spill_loads", false},
                              {"stack", false},
                              {"smem", false},
                              {"barriers", false},
                              {"barriers_per_step", false},
                              {"bank_conflicts", false},
                              {"ctas_per_sm", true}};

std::string text_of(const json& row, const char* key) {
  auto it = row.find(key);
  if (it == row.end() || !it->is_string()) {
    throw BaselineError(fmt::format("a row has no text '{}'", key));
  }
  return it->get<std::string>();
}

struct Row {
  std::string config, target;
  const json* fields;
  bool operator==(const Row& other) const {
    return config == other.config && target == other.target;
  }
};

std::vector<Row> rows_of(const json& report) {
  if (!report.is_object() || report.value("schema", json()) != "barline.gate/1") {
    throw BaselineError("its schema is not barline.gate/1");
  }
  auto results = report.find("results");
  if (results == report.end() || !results->is_array()) throw BaselineError("it has no results");
  std::vector<Row> out;
  for (const json& r : *results) {
    if (!r.is_object()) throw BaselineError("a row is no object");
    std::string schedule = text_of(r, "schedule");
    out.push_back({text_of(r, "kernel") + (schedule.empty() ? "" : "@" + schedule),
                   text_of(r, "target"), &r});
  }
  return out;
}

std::optional<int> count(const json& row, const char* key) {
  auto it = row.find(key);
  if (it == row.end()) return {};
  if (!it->is_number_integer()) throw BaselineError(fmt::format("'{}' is no integer", key));
  return it->get<int>();
}

/// A row that was not measured has no figures, and is no change.
bool measured(const Row& row) { return row.fields->contains("registers"); }

void compare_row(const Row& before, const Row& after, GateChanges& out) {
  ++out.compared;
  for (const Figure& f : figures) {
    std::optional<int> was = count(*before.fields, f.name), is = count(*after.fields, f.name);
    if (!was || !is || *was == *is) continue;
    out.changes.push_back({.config = after.config,
                           .target = after.target,
                           .figure = f.name,
                           .before = *was,
                           .after = *is,
                           .better = (*is > *was) == f.more_is_better});
  }
}

std::string percent(int before, int after) {
  return before == 0 ? "" : fmt::format(" ({:+.1f} %)", 100.0 * (after - before) / before);
}

struct Sum {
  long before = 0, after = 0;
  int helped = 0, hurt = 0;
};

/// One line a figure that changed, in the order of the table of figures.
std::vector<std::string> sums(const GateChanges& changes) {
  std::map<std::string, Sum> by_figure;
  int came = 0, went = 0;
  for (const GateChange& c : changes.changes) {
    came += c.came;
    went += c.went;
    if (c.figure.empty()) continue;
    Sum& s = by_figure[c.figure];
    s.before += c.before;
    s.after += c.after;
    ++(c.better ? s.helped : s.hurt);
  }
  std::vector<std::string> out;
  for (const Figure& f : figures) {
    auto it = by_figure.find(f.name);
    if (it == by_figure.end()) continue;
    const Sum& s = it->second;
    out.push_back(fmt::format("{}: {} -> {} in the changed rows; better in {}, worse in {}", f.name,
                              s.before, s.after, s.helped, s.hurt));
  }
  if (came) out.push_back(fmt::format("{} rows are new", came));
  if (went) out.push_back(fmt::format("{} rows are gone", went));
  if (out.empty()) out.push_back("no figure changed");
  return out;
}

std::string heading(const GateChanges& c) {
  bool same = c.assembler_before == c.assembler_after;
  return fmt::format("{} rows compared with the baseline{}", c.compared,
                     same ? "" : fmt::format(" ({} -> {})", c.assembler_before, c.assembler_after));
}

std::string what(const GateChange& c) {
  if (c.came) return "new";
  if (c.went) return "gone";
  return fmt::format("{} -> {}{}", c.before, c.after, percent(c.before, c.after));
}

}  // namespace

GateChanges compare_reports(const json& before, const json& after, bool whole) {
  GateChanges out;
  std::vector<Row> was = rows_of(before), is = rows_of(after);
  out.assembler_before = text_of(before, "assembler");
  out.assembler_after = text_of(after, "assembler");
  for (const Row& row : is) {
    auto old = std::find(was.begin(), was.end(), row);
    if (old == was.end()) {
      out.changes.push_back({.config = row.config, .target = row.target, .came = true});
    } else if (measured(*old) && measured(row)) {
      compare_row(*old, row, out);
    }
  }
  for (const Row& row : was) {
    if (!whole || std::find(is.begin(), is.end(), row) != is.end()) continue;
    out.changes.push_back({.config = row.config, .target = row.target, .went = true});
  }
  return out;
}

json to_json(const GateChanges& changes) {
  json rows = json::array();
  for (const GateChange& c : changes.changes) {
    json row = {{"config", c.config}, {"target", c.target}};
    if (c.figure.empty()) {
      row["row"] = c.came ? "new" : "gone";
    } else {
      row.update(
          {{"figure", c.figure}, {"before", c.before}, {"after", c.after}, {"better", c.better}});
    }
    rows.push_back(std::move(row));
  }
  return {{"compared", changes.compared},
          {"assembler_before", changes.assembler_before},
          {"assembler_after", changes.assembler_after},
          {"rows", rows}};
}

std::string to_text(const GateChanges& changes) {
  std::size_t width = 6;
  for (const GateChange& c : changes.changes) width = std::max(width, c.config.size());
  std::string out = "\n" + heading(changes) + "\n";
  for (const GateChange& c : changes.changes) {
    out += fmt::format("{:<{}}  {:<7} {:<17} {:<24} {}\n", c.config, width, c.target, c.figure,
                       what(c),
                       c.figure.empty() ? ""
                       : c.better       ? "better"
                                        : "worse");
  }
  for (const std::string& line : sums(changes)) out += line + "\n";
  return out;
}

std::string to_markdown(const GateChanges& changes) {
  std::string out = fmt::format("\n### Since the baseline\n\n{}\n\n", heading(changes));
  if (!changes.changes.empty()) {
    out += "| kernel | target | figure | before -> after | |\n|---|---|---|---|---|\n";
  }
  for (std::size_t i = 0; i < changes.changes.size(); ++i) {
    const GateChange& c = changes.changes[i];
    if (out.size() > markdown_changes_bytes) {
      out += fmt::format("| and {} more | | | | |\n", changes.changes.size() - i);
      break;
    }
    out += fmt::format("| {} | {} | {} | {} | {} |\n", markdown_cell(c.config), c.target, c.figure,
                       what(c),
                       c.figure.empty() ? ""
                       : c.better       ? "better"
                                        : "worse");
  }
  out += "\n";
  for (const std::string& line : sums(changes)) out += "- " + line + "\n";
  return out;
}

}  // namespace barline::verify
