// SPDX-License-Identifier: Apache-2.0
// Schedules that come from text and not from code: recorded by the tuner, read by whoever launches.
#pragma once

#include <deque>
#include <memory>
#include <span>
#include <string>
#include <utility>

#include "ir/schedule.h"

namespace barline::ir {

/// The name of a field's value, as text() has it.
std::string_view spelling(MatrixUnit unit);
std::string_view spelling(Walk walk);
std::string_view spelling(Merge merge);
std::string_view spelling(Segments segments);
std::string_view spelling(Store store);
std::string_view spelling(Agent agent);
std::string_view spelling(Team team);

/// A schedule with the names that its fields point at.
struct OwnedSchedule {
  Schedule value{};
  std::shared_ptr<const std::deque<std::string>> names{};
};

/// A copy under another name that lives as long.
OwnedSchedule own(const Schedule& schedule, std::string_view name);

/// Fields as text() spells them, split at '=': {"tile.m", "64"}. A list's next item begins where
/// its first field comes again.
using FieldTexts = std::span<const std::pair<std::string, std::string>>;

/// The schedule of these fields; those left out have their defaults. Throws std::invalid_argument
/// that names the field, the rule and the values it takes.
OwnedSchedule parse_schedule(std::string_view name, FieldTexts fields);
/// Reads what text() wrote.
OwnedSchedule parse_schedule(std::string_view name, std::string_view text);

}  // namespace barline::ir
