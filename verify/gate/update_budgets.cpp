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

}  // namespace

std::string update_budgets(std::string_view text, const YamlNode& root,
                           const std::vector<Pin>& pins, std::string_view assembler) {
  YamlWant want;
  if (!assembler.empty()) want["assembler"].text = assembler;
  const YamlNode* kernels = root.find("kernels");
  for (const Pin& p : pins) {
    const YamlNode* kernel = kernels ? kernels->find(p.kernel) : nullptr;
    const YamlNode* schedules = kernel ? kernel->find("schedules") : nullptr;
    if (!schedules || !schedules->find(p.schedule)) continue;
    YamlWant& schedule = want["kernels"][p.kernel]["schedules"][p.schedule];
    // Barriers stand once a schedule: where types differ, the largest is what the gate holds.
    int barriers = p.barriers;
    if (const std::string& seen = schedule["barriers"].text; !seen.empty()) {
      barriers = std::max(barriers, std::stoi(seen));
    }
    want_count(schedule, "barriers", barriers);
    if (p.barriers_per_step) {
      schedule["barriers_per_step"].text = std::to_string(*p.barriers_per_step);
    }
    YamlWant& by_type = p.type.empty() ? schedule["budget"] : schedule["budget"][p.type];
    YamlWant& row = by_type[p.target];
    row["registers"].text = std::to_string(p.registers);
    want_count(row, "smem", p.smem);
    want_count(row, "stack", p.stack);
    want_count(row, "spills", p.spills);
  }
  return merge_yaml(text, root, want);
}

}  // namespace barline::verify
