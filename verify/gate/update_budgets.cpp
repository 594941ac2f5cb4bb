// SPDX-License-Identifier: Apache-2.0
#include "verify/gate/update_budgets.h"

#include <algorithm>

#include "verify/gate/yaml_merge.h"

namespace barline::verify {
namespace {

/// A number whose default is 0: written only where it differs, or where one stands already.
void want_count(YamlWant& map, std::string_view key, int value) {
  YamlWant& w = map[key];
  w.text = std::to_string(value);
  w.only_if_present = value == 0;
}

bool holds(const YamlNode& kernel, const Pin& p) {
  if (p.schedule.empty()) return kernel.find("source");
  const YamlNode* schedules = kernel.find("schedules");
  return schedules && schedules->find(p.schedule);
}

/// `config` is the map that has `budget:` below it.
void want_pin(YamlWant& config, const Pin& p) {
  // Barriers stand once a schedule: where types differ, the largest is what the gate holds.
  auto largest = [&](std::string_view key, int value) {
    const std::string& seen = config[key].text;
    return seen.empty() ? value : std::max(value, std::stoi(seen));
  };
  want_count(config, "barriers", largest("barriers", p.barriers));
  if (p.barriers_per_step) config["barriers_per_step"].text = std::to_string(*p.barriers_per_step);
  if (p.bank_conflicts) {
    want_count(config, "bank_conflicts", largest("bank_conflicts", *p.bank_conflicts));
    config["bank_conflicts"].only_if_present = true;
  }
  YamlWant& by_type = p.type.empty() ? config["budget"] : config["budget"][p.type];
  YamlWant& row = by_type[p.target];
  row["registers"].text = std::to_string(p.registers);
  want_count(row, "smem", p.smem);
  want_count(row, "stack", p.stack);
  want_count(row, "spills", p.spills);
  if (p.notes) row["allow_notes"].keep = p.notes;
}

}  // namespace

std::string update_budgets(std::string_view text, const YamlNode& root,
                           const std::vector<Pin>& pins, std::string_view assembler) {
  YamlWant want;
  if (!assembler.empty()) want["assembler"].text = assembler;
  const YamlNode* kernels = root.find("kernels");
  for (const Pin& p : pins) {
    const YamlNode* kernel = kernels ? kernels->find(p.kernel) : nullptr;
    if (!kernel || !holds(*kernel, p)) continue;
    YamlWant& entry = want["kernels"][p.kernel];
    want_pin(p.schedule.empty() ? entry : entry["schedules"][p.schedule], p);
  }
  return merge_yaml(text, root, want);
}

}  // namespace barline::verify
