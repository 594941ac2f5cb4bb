// SPDX-License-Identifier: Apache-2.0
// The arms of an experiment: configs of one kernel that differ in a dimension which schedules bind,
// or in the size of an axis.
#pragma once

#include "tools/session.h"

namespace barline::tools {

struct Arm {
  std::string label;  ///< and folder: "wo_split8"
  Job job{};
  std::map<std::string, double> set{};  ///< sizes over the shape's
  std::int64_t value = 0;               ///< of the dimension that differs
};

struct ArmOptions {
  std::string kernel, over;
  std::vector<std::int64_t> values{};
  std::int64_t slice_ctas = 0;  ///< 0: the shape's
};

/// The arm's sizes and `set` of all arms together. Throws UsageError for a name that both set.
std::map<std::string, double> settings_of(const Arm& arm, const std::map<std::string, double>& set);

/// Throws UsageError for a shape, name or size that the arm's config does not take, and for fewer
/// slices than parts. Makes no tensor and needs no device.
void check_arm(const Session& session, const Arm& arm, const std::string& shape,
               const std::map<std::string, double>& set);

/// slice_ctas >= wo_split >= 1, or UsageError: a head's parts fall to its blocks.
void check_slices(std::int64_t wo_split, std::int64_t slice_ctas);

/// One arm a value, of the schedule that binds it, else of one that leaves the dimension to the
/// launch. Throws UsageError for a value that no schedule takes, and for a dimension that the
/// kernel does not have.
std::vector<Arm> make_arms(const Session& session, const ArmOptions& options,
                           const std::string& target);

}  // namespace barline::tools
