// SPDX-License-Identifier: Apache-2.0
// What a sweep says: a row a value with time, speedup over the first, payload rate beside the
// device's copy rate, and what limits it.
#pragma once

#include <optional>

#include "tools/counters.h"
#include "tools/trial.h"

namespace barline::tools {

struct SweepRow {
  std::string arm;
  std::int64_t value = 0;             ///< of the dimension that is swept
  std::int64_t grid = 0, active = 0;  ///< blocks launched, and with work
  TrialBytes bytes{};
  Summary time{};
  /// Against the gate's reference, over `elements` of y, one in `stride`; none: nothing compared.
  std::optional<double> max_abs{};
  std::int64_t elements = 0, stride = 1;
  bool resumed = false;  ///< timed by an earlier run of the same plan
  std::optional<Counters> counted{};
};
SweepRow row_of(const std::string& arm, std::int64_t value, const nlohmann::ordered_json& config,
                const TrialRun& run);

/// Says that the folder's times stand, and how to take others.
std::string resumed_text(const std::string& dir);

struct Sweep {
  std::string kernel, over, device;
  double ceiling = 0;  ///< GB/s that the device copies at, measured beside the rows
  std::vector<SweepRow> rows{};
};

/// Counted payload bytes over time. Re-reads of the workspace do not make a kernel look faster.
double payload_gbps(const SweepRow& row);
double share_of_ceiling(const Sweep& sweep, const SweepRow& row);
/// From this share of the ceiling on, more bandwidth is what would make it faster.
inline constexpr double bandwidth_limited_from = 0.6;
/// "latency-limited" or "bandwidth-limited".
const char* limit_of(const Sweep& sweep, const SweepRow& row);
/// The first row's median over this one's.
double speedup(const Sweep& sweep, const SweepRow& row);

/// Of three rows A, B, C: equal active blocks in a larger and a smaller grid, then more active
/// ones.
struct Audit {
  double grid_cost = 0;    ///< A / B: what blocks without work cost
  double active_gain = 0;  ///< B / C: what blocks with work gain
};
Audit audit_of(const Sweep& rows);
std::string table(const Audit& audit);

std::string table(const Sweep& sweep);
nlohmann::ordered_json to_json(const Sweep& sweep);
/// Median over value, both axes logarithmic; each point with its time and what limits it.
std::string plot_svg(const Sweep& sweep);

}  // namespace barline::tools
