// SPDX-License-Identifier: Apache-2.0
#include "tools/sweep_report.h"

#include <fmt/format.h>

#include <algorithm>

namespace barline::tools {

SweepRow row_of(const std::string& arm, std::int64_t value, const nlohmann::ordered_json& config,
                const TrialRun& run) {
  SweepRow row{.arm = arm, .value = value, .bytes = run.bytes, .time = summary_of(run)};
  row.grid = config.value("total_grid_ctas", std::int64_t{0});
  row.active = config.value("active_ctas", row.grid);
  row.resumed = run.resumed;
  for (const Agreement& a : run.agreements) {
    if (!a.gate) continue;
    if (a.elements) row.max_abs = a.max_abs;
    row.elements = a.elements;
    row.stride = a.stride;
  }
  return row;
}

namespace {

/// "0", of a sample "0 (1 in 3)", of nothing "-".
std::string distance_text(const SweepRow& r) {
  if (!r.max_abs) return "-";
  return r.stride == 1 ? fmt::format("{}", *r.max_abs)
                       : fmt::format("{} (1 in {})", *r.max_abs, r.stride);
}

}  // namespace

std::string resumed_text(const std::string& dir) {
  return fmt::format(
      "{}: timed before, with these inputs, this code and device; delete it to time it again", dir);
}

double payload_gbps(const SweepRow& row) { return row.bytes.payload / row.time.median / 1e3; }

double share_of_ceiling(const Sweep& sweep, const SweepRow& row) {
  return sweep.ceiling > 0 ? payload_gbps(row) / sweep.ceiling : 0;
}

const char* limit_of(const Sweep& sweep, const SweepRow& row) {
  return share_of_ceiling(sweep, row) >= bandwidth_limited_from ? "bandwidth-limited"
                                                                : "latency-limited";
}

double speedup(const Sweep& sweep, const SweepRow& row) {
  return sweep.rows.front().time.median / row.time.median;
}

Audit audit_of(const Sweep& s) {
  const double a = s.rows.at(0).time.median, b = s.rows.at(1).time.median,
               c = s.rows.at(2).time.median;
  return {.grid_cost = a / b, .active_gain = b / c};
}

std::string table(const Audit& a) {
  return fmt::format(
      "A / B, the larger grid with the same active blocks: {:.3f}x the time\n"
      "B / C, more active blocks in the same grid: {:.2f}x faster\n",
      a.grid_cost, a.active_gain);
}

std::string table(const Sweep& s) {
  const bool counted = std::any_of(s.rows.begin(), s.rows.end(),
                                   [](const SweepRow& r) { return r.counted.has_value(); });
  std::string out = fmt::format(
      "{} on {}, copy rate {:.0f} GB/s\n{:>10} {:>11} {:>10} {:>10} "
      "{:>10} {:>8} {:>13} {:>9}  {:<17} {:<8}{}\n",
      s.kernel, s.device, s.ceiling, s.over, "grid/active", "median us", "min us", "p95 us",
      "speedup", "payload GB/s", "% of copy", "limit", "max_abs",
      counted ? "  DRAM bytes / payload, % of peak (ncu)" : "");
  for (const SweepRow& r : s.rows) {
    out += fmt::format(
        "{:>10} {:>11} {:>10.2f} {:>10.2f} {:>10.2f} {:>7.2f}x {:>13.1f} {:>9.2f}  {:<17} {:<8}",
        r.value, fmt::format("{}/{}", r.grid, r.active), r.time.median, r.time.min, r.time.p95,
        speedup(s, r), payload_gbps(r), 100 * share_of_ceiling(s, r), limit_of(s, r),
        distance_text(r));
    if (r.counted)
      out += fmt::format("  {:.3f}, {:.1f} %", r.counted->dram_bytes / r.bytes.payload,
                         100 * r.counted->dram_share);
    out += "\n";
  }
  return out;
}

nlohmann::ordered_json to_json(const Sweep& s) {
  auto rows = nlohmann::ordered_json::array();
  for (const SweepRow& r : s.rows) {
    rows.push_back(
        {{"arm", r.arm},
         {s.over, r.value},
         {"total_grid_ctas", r.grid},
         {"active_ctas", r.active},
         {"median_us", r.time.median},
         {"min_us", r.time.min},
         {"p95_us", r.time.p95},
         {"speedup", speedup(s, r)},
         {"payload_bytes", r.bytes.payload},
         {"scratch_bytes", r.bytes.scratch},
         {"payload_gbps", payload_gbps(r)},
         {"share_of_copy", share_of_ceiling(s, r)},
         {"limit", limit_of(s, r)},
         {"max_abs", r.max_abs ? nlohmann::ordered_json(*r.max_abs) : nlohmann::ordered_json()},
         {"elements", r.elements},
         {"stride", r.stride},
         {"resumed", r.resumed}});
    if (r.counted)
      rows.back()["counted"] = {{"dram_bytes", r.counted->dram_bytes},
                                {"dram_share", r.counted->dram_share}};
  }
  return {{"kernel", s.kernel},
          {"over", s.over},
          {"device", s.device},
          {"copy_gbps", s.ceiling},
          {"bandwidth_limited_from", bandwidth_limited_from},
          {"rows", rows}};
}

}  // namespace barline::tools
