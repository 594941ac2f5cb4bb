// SPDX-License-Identifier: Apache-2.0
#include "tools/trace_report.h"

#include <fmt/format.h>

#include <cmath>
#include <set>

namespace barline::tools {
namespace {

using Json = nlohmann::ordered_json;
using regions::RegionTimes;

/// A number, or nothing where there is none.
Json or_null(double v) { return std::isnan(v) ? Json() : Json(v); }

std::string percent(double share) {
  return std::isnan(share) ? "-" : fmt::format("{:.1f}", 100 * share);
}

std::string row(const RegionTimes& t) {
  return fmt::format(
      "{:<24} {:<20} {:>7} {:>8} {:>9.3f} {:>9.3f} {:>9.3f} {:>11.3f} {:>8} {:>9.3f} {:>9.3f} "
      "{:>6}  {}\n",
      t.region.name, regions::name(t.region.klass), t.values, t.dropped, t.mean, t.median, t.p99,
      t.total, t.times, t.min, t.max, percent(t.share),
      t.region.where.empty() ? "all" : t.region.where);
}

std::string path_text(const Trace& t) {
  const regions::CriticalPath& p = t.path;
  if (p.last_arriver == regions::no_block) return "critical path: no block ran\n";
  std::string out = fmt::format(
      "last arriver: block {}{}, {:.3f} us after the first block began; the others were idle until "
      "then, {:.3f} us in the median, {:.3f} at most; meeting cost {:.3f} us\n",
      p.last_arriver, p.elected ? " (elected)" : "", p.arrived / 1e3, p.idle_median / 1e3,
      p.idle_max / 1e3, p.meeting / 1e3);
  out += "critical path:\n";
  for (const regions::Segment& s : p.segments)
    out += fmt::format("  {:>10.3f} .. {:>10.3f} us  block {:<5} {}\n", s.from / 1e3, s.to / 1e3,
                       s.block, s.region.empty() ? "(between regions)" : s.region);
  return out;
}

std::string clocks_text(const Trace& t) {
  const regions::Clocks& c = t.samples.clocks;
  if (t.simulated)
    return "clocks: the simulator's warp instructions; one counts as 1 ns in what follows\n";
  return fmt::format(
      "clocks: {:.6f} ns a cycle ({:.0f} MHz); resolution of %globaltimer {} ns, of %clock64 {} "
      "cycles\n",
      c.ns_a_cycle, 1e3 / c.ns_a_cycle, c.timer_step, c.clock_step);
}

}  // namespace

std::string table(const Trace& t) {
  std::string sizes;
  for (const auto& [name, n] : t.sizes) sizes += fmt::format(" {}={}", name, n);
  std::string out =
      fmt::format("{} on {}{}: {}\n{}", t.kernel, t.device, sizes, t.verdict, clocks_text(t));
  out += fmt::format("{} launches, {} blocks, span of a launch {:.3f} us\n", t.reduced.launches,
                     t.reduced.blocks, t.reduced.span);
  out += fmt::format(
      "{:<24} {:<20} {:>7} {:>8} {:>9} {:>9} {:>9} {:>11} {:>8} {:>9} {:>9} {:>6}  {}\n", "region",
      "class", "blocks", "dropped", "mean us", "median", "p99", "total us", "times", "min", "max",
      "%", "where");
  for (const RegionTimes& r : t.reduced.regions) out += row(r);
  const regions::Coverage& c = t.reduced.coverage;
  out += fmt::format("regions add up to {:.2f} % of a block's span (median; worst {:.2f} %)\n",
                     100 * c.median, 100 * c.worst);
  out += path_text(t);
  out +=
      fmt::format("timing costs {:+.3f} {} ({:+.2f} %): {:.3f} timed, {:.3f} untimed\n",
                  t.cost.added(), t.cost_unit, 100 * t.cost.share(), t.cost.timed, t.cost.untimed);
  for (const std::string& w : t.reduced.warnings) out += "warning: " + w + "\n";
  return out;
}

Json to_json(const Trace& t) {
  auto rows = Json::array(), path = Json::array();
  for (const RegionTimes& r : t.reduced.regions)
    rows.push_back({{"region", r.region.name},
                    {"class", std::string(regions::name(r.region.klass))},
                    {"where", r.region.where},
                    {"blocks", r.values},
                    {"dropped", r.dropped},
                    {"mean_us", r.mean},
                    {"median_us", r.median},
                    {"p99_us", r.p99},
                    {"total_us", r.total},
                    {"times", r.times},
                    {"min_us", r.min},
                    {"max_us", r.max},
                    {"share", or_null(r.share)}});
  for (const regions::Segment& s : t.path.segments)
    path.push_back({{"block", s.block},
                    {"region", s.region},
                    {"from_us", s.from / 1e3},
                    {"to_us", s.to / 1e3}});
  const regions::Clocks& c = t.samples.clocks;
  Json critical{{"last_arriver", nullptr}};
  if (t.path.last_arriver != regions::no_block)
    critical = {{"last_arriver", t.path.last_arriver},
                {"elected", t.path.elected},
                {"arrived_us", t.path.arrived / 1e3},
                {"idle_median_us", t.path.idle_median / 1e3},
                {"idle_max_us", t.path.idle_max / 1e3},
                {"meeting_us", t.path.meeting / 1e3},
                {"segments", path}};
  return {
      {"kernel", t.kernel},
      {"device", t.device},
      {"sizes", t.sizes},
      {"comparison", t.verdict},
      {"simulated", t.simulated},
      {"launches", t.reduced.launches},
      {"blocks", t.reduced.blocks},
      {"span_us", t.reduced.span},
      {"ns_a_cycle", c.ns_a_cycle},
      {"globaltimer_resolution_ns", c.timer_step},
      {"clock64_resolution_cycles", c.clock_step},
      {"regions", rows},
      {"coverage", {{"median", t.reduced.coverage.median}, {"worst", t.reduced.coverage.worst}}},
      {"critical_path", critical},
      {"cost",
       {{"unit", t.cost_unit},
        {"timed", t.cost.timed},
        {"untimed", t.cost.untimed},
        {"added", t.cost.added()},
        {"share", t.cost.share()}}},
      {"warnings", t.reduced.warnings}};
}

Json trace_events(const Trace& t) {
  auto events = Json::array();
  const regions::Launch& launch = t.samples.launches[t.shown];
  std::set<std::uint64_t> sms;
  auto named = [&](const char* what, std::uint64_t sm, std::size_t block, std::string name) {
    events.push_back({{"name", what},
                      {"ph", "M"},
                      {"pid", sm},
                      {"tid", block},
                      {"args", {{"name", std::move(name)}}}});
  };
  for (const regions::Block& b : launch.blocks) {
    if (!b.ran) continue;
    if (sms.insert(b.sm).second) named("process_name", b.sm, b.index, fmt::format("SM {}", b.sm));
    named("thread_name", b.sm, b.index, fmt::format("block {}", b.index));
    for (std::size_t r = 0; r < b.visits.size(); ++r) {
      const regions::Visit& v = b.visits[r];
      if (v.count == 0 || !v.placed) continue;
      const regions::Region& region = t.samples.table[r];
      std::string name = region.name;
      std::size_t track = b.index;
      if (v.count > 1) {
        // From its first begin to its last end, other regions between: beside the block's track,
        // since a viewer takes what overlaps on one for nested.
        name += fmt::format(" ({} times)", v.count);
        track = launch.blocks.size() * (1 + r) + b.index;
        named("thread_name", b.sm, track, fmt::format("block {}: {}", b.index, name));
      }
      events.push_back({{"name", name},
                        {"cat", std::string(regions::name(region.klass))},
                        {"ph", "X"},
                        {"ts", v.first / 1e3},
                        {"dur", (v.last - v.first) / 1e3},
                        {"pid", b.sm},
                        {"tid", track},
                        {"args", {{"times", v.count}, {"cycles", v.cycles}}}});
    }
  }
  return {{"displayTimeUnit", "ns"},
          {"otherData", {{"kernel", t.kernel}, {"device", t.device}, {"launch", t.shown}}},
          {"traceEvents", events}};
}

}  // namespace barline::tools
