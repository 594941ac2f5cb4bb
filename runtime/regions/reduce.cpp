// SPDX-License-Identifier: Apache-2.0
#include "runtime/regions/reduce.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace barline::regions {
namespace {

/// Visits each block that ran.
template <class Visitor>
void each_block(const Samples& s, Visitor visit) {
  for (const Launch& l : s.launches)
    for (const Block& b : l.blocks)
      if (b.ran) visit(b);
}

RegionTimes times_of(const Samples& s, std::size_t region, double span) {
  const double us_a_cycle = s.clocks.ns_a_cycle / 1e3;
  RegionTimes t{.region = s.table[region]};
  std::vector<double> values;
  double min = std::numeric_limits<double>::infinity(), max = 0;
  each_block(s, [&](const Block& b) {
    const Visit& v = b.visits[region];
    if (v.count == 0) {
      ++t.dropped;
      return;
    }
    values.push_back(v.cycles * us_a_cycle);
    t.times += v.count;
    min = std::min(min, v.min * us_a_cycle);
    max = std::max(max, v.max * us_a_cycle);
  });
  t.values = values.size();
  t.share = std::numeric_limits<double>::quiet_NaN();
  if (values.empty()) return t;
  t.min = min;
  t.max = max;
  t.total = std::accumulate(values.begin(), values.end(), 0.0);
  t.mean = t.total / static_cast<double>(values.size());
  t.median = quantile(values, 0.5);
  t.p99 = quantile(values, 0.99);
  if (t.region.klass != Class::Wait && span > 0) t.share = t.median / span;
  return t;
}

Coverage coverage_of(const Samples& s) {
  std::vector<double> shares;
  each_block(s, [&](const Block& b) {
    double sum = 0;
    for (const Visit& v : b.visits) sum += v.cycles;
    if (sum > 0 && b.cycles > 0) shares.push_back(sum / b.cycles);
  });
  Coverage c{.blocks = shares.size()};
  if (shares.empty()) return c;
  c.median = quantile(shares, 0.5);
  c.worst = *std::max_element(shares.begin(), shares.end(),
                              [](double a, double b) { return std::abs(a - 1) < std::abs(b - 1); });
  return c;
}

void warn(const Samples& s, Reduced& out) {
  if (!s.clocks.calibrated)
    out.warnings.push_back(
        "%globaltimer did not move while blocks ran: us are cycles / 1000, not calibrated");
  if (s.unplaced)
    out.warnings.push_back(fmt::format(
        "{} regions of blocks have stamps that do not ascend (%clock64 wrapped, or the buffer was "
        "not zeroed): their sums count, they are on no time line",
        s.unplaced));
  for (const RegionTimes& t : out.regions)
    if (t.region.where.empty() && t.dropped)
      out.warnings.push_back(fmt::format("region {} is every block's, and {} blocks never came",
                                         t.region.name, t.dropped));
}

}  // namespace

double quantile(std::vector<double> values, double q) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  const double at = q * static_cast<double>(values.size() - 1);
  const auto below = static_cast<std::size_t>(at);
  const std::size_t above = std::min(below + 1, values.size() - 1);
  return std::lerp(values[below], values[above], at - static_cast<double>(below));
}

Reduced reduce(const Samples& s) {
  Reduced out{.launches = s.launches.size()};
  std::vector<double> spans;
  for (const Launch& l : s.launches) spans.push_back(l.span / 1e3);
  out.span = quantile(spans, 0.5);
  each_block(s, [&](const Block&) { ++out.blocks; });
  for (std::size_t r = 0; r < s.table.size(); ++r) out.regions.push_back(times_of(s, r, out.span));
  out.coverage = coverage_of(s);
  warn(s, out);
  return out;
}

}  // namespace barline::regions
