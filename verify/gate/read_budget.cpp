// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>

#include "verify/gate/registry_parts_p.h"
#include "verify/gate/suggest.h"

namespace barline::verify {
namespace {

BudgetRow read_row(const RegistryReader& in, const YamlNode::Entry& e, const std::string& type,
                   const ScheduleEntry& schedule) {
  const std::vector<std::string>& targets = schedule.targets;
  if (std::find(targets.begin(), targets.end(), e.key) == targets.end()) {
    in.fail(e.at, fmt::format("unknown target '{}' in this budget", e.key),
            did_you_mean(e.key, targets));
  }
  in.check_section(e.value, Section::Row, "a budget");
  BudgetRow row{.type = type, .target = e.key, .at = e.at};
  row.registers = in.count(*e.value.find("registers"), "registers");
  if (const YamlNode* n = e.value.find("spills")) row.spills = in.count(*n, "spills");
  if (const YamlNode* n = e.value.find("smem")) row.smem = in.count(*n, "smem");
  if (const YamlNode* n = e.value.find("stack")) row.stack = in.count(*n, "stack");
  if (const YamlNode* n = e.value.find("min_ctas_per_sm")) {
    row.min_ctas_per_sm = in.count(*n, "min_ctas_per_sm");
  }
  if (const YamlNode* n = e.value.find("allow_notes")) row.allow_notes = in.notes(*n);
  return row;
}

}  // namespace

void read_target_budget(const RegistryReader& in, const YamlNode& node, ScheduleEntry& schedule) {
  for (const YamlNode::Entry& e : node.entries) {
    schedule.budgets.push_back(read_row(in, e, "", schedule));
  }
}

void read_budget(const RegistryReader& in, const YamlNode& node, ScheduleEntry& schedule) {
  in.need_map(node, "a budget");
  if (schedule.types.empty()) return read_target_budget(in, node, schedule);
  for (const YamlNode::Entry& t : node.entries) {
    const std::vector<std::string>& types = schedule.types;
    if (std::find(types.begin(), types.end(), t.key) == types.end()) {
      in.fail(t.at,
              fmt::format("unknown element type '{}' in the budget of {}", t.key, schedule.name),
              did_you_mean(t.key, types));
    }
    in.need_map(t.value, "the budget of an element type");
    for (const YamlNode::Entry& e : t.value.entries) {
      schedule.budgets.push_back(read_row(in, e, t.key, schedule));
    }
  }
}

}  // namespace barline::verify
