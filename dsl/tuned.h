// SPDX-License-Identifier: Apache-2.0
// Tuned: the schedules that measurements chose, by kernel, type, target and sizes. A host asks it
// for the config to launch; `barline tune` fills it.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "ir/schedule_text.h"

namespace barline::dsl {

using Sizes = std::map<std::string, std::int64_t>;

/// The fastest schedule of a kernel at one shape on one target, as it was measured.
struct TunedRow {
  std::string kernel{}, type{}, target{};
  std::string shape{};  ///< the register's name of these sizes, or empty
  Sizes sizes{};        ///< of every axis that a launch or a config sets
  ir::OwnedSchedule schedule{};
  double us = 0, us_min = 0, us_max = 0;  ///< median and extremes of a launch
  std::string device{}, driver{}, date{};
};

class Tuned {
 public:
  /// Adds the row, or puts it in the place of the one of the same kernel, type, target and sizes.
  void add(TunedRow row);
  const std::vector<TunedRow>& rows() const { return rows_; }

  /// The row of these sizes, else the nearest: least sum over the axes of |log2(size / recorded)|,
  /// the first of equals. `takes` says which rows the caller can launch (multiples, bound axes).
  /// Null where the kernel was not tuned for the target, or with other axes.
  const TunedRow* best(std::string_view kernel, std::string_view type, std::string_view target,
                       const Sizes& sizes,
                       const std::function<bool(const TunedRow&)>& takes = {}) const;

 private:
  std::vector<TunedRow> rows_;
};

}  // namespace barline::dsl
