// SPDX-License-Identifier: Apache-2.0
// Re-pins budgets in the text of kernels.yaml.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "verify/gate/yaml_tree.h"

namespace barline::verify {

/// The numbers to pin for one config on one target. `type` is empty where the kernel has no types,
/// `schedule` where it has a source in their place.
struct Pin {
  std::string kernel{}, schedule{}, type{}, target{};
  int registers = 0, spills = 0, smem = 0, stack = 0;
  int barriers = 0;
  std::optional<int> barriers_per_step{};
  std::optional<int> bank_conflicts{};  ///< replaces a number that stands there
  /// Codes that ptxas noted: an `allow_notes` loses all others. Empty where it was not asked.
  std::optional<std::vector<std::string>> notes{};
};

/// `text` with the numbers of `pins` and, unless empty, the assembler version. Numbers are replaced
/// where they stand and inserted where they are missing; a number that equals its default (0) is
/// never inserted. A note that is accepted and was not noted is deleted. Pins of a kernel or
/// schedule that the file does not hold are left out.
std::string update_budgets(std::string_view text, const YamlNode& root,
                           const std::vector<Pin>& pins, std::string_view assembler = {});

}  // namespace barline::verify
