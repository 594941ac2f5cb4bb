// SPDX-License-Identifier: Apache-2.0
// The parts of kernels.yaml that are read in files of their own.
#pragma once

#include "verify/gate/registry_reader_p.h"

namespace barline::verify {

/// `budget:` of a schedule: by target, under an element type where the schedule has types.
void read_budget(const RegistryReader& in, const YamlNode& node, ScheduleEntry& schedule);

/// A map of targets to budgets.
void read_target_budget(const RegistryReader& in, const YamlNode& node, ScheduleEntry& schedule);

/// An entry with a `source:`.
SourceEntry read_source(const RegistryReader& in, const YamlNode::Entry& e,
                        const std::vector<std::string>& targets);

}  // namespace barline::verify
