// SPDX-License-Identifier: Apache-2.0
// What a profiler counted, as bench/peers/ncu_counters.py records it from ncu: to stand beside what
// was counted by formula.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace barline::tools {

/// Of one launch.
struct Counters {
  double dram_bytes = 0;  ///< read and written
  double dram_share = 0;  ///< of the device's peak DRAM rate
  bool operator==(const Counters&) const = default;
};

/// A record, schema barline.counters/1.
class CounterFile {
 public:
  CounterFile() = default;
  /// Throws UsageError, with file and row, for anything else.
  explicit CounterFile(const std::string& path);

  /// The row of this config at these sizes, or null.
  const Counters* find(const std::string& kernel, const nlohmann::ordered_json& sizes) const;

 private:
  struct Row {
    std::string kernel;
    nlohmann::json sizes;
    Counters counters;
  };
  std::vector<Row> rows_;
};

}  // namespace barline::tools
