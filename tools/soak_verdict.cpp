// SPDX-License-Identifier: Apache-2.0
// When another arm becomes the default: the median at least `gain` shorter, p95 no longer, results
// no worse, and rounds that agree well enough to say so. Anything else keeps it opt-in.
#include <fmt/format.h>

#include <algorithm>

#include "tools/soak.h"

namespace barline::tools {
namespace {

struct ArmFigures {
  double median = 0, p95 = 0, noise = 0;
};

ArmFigures figures_of(const Soak& soak, const std::string& arm) {
  std::vector<double> medians, p95s;
  for (const SoakRound& r : soak.rounds) {
    if (r.arm != arm) continue;
    medians.push_back(r.time.median);
    p95s.push_back(r.time.p95);
  }
  ArmFigures f{.median = quantile(medians, 0.5), .p95 = quantile(p95s, 0.5)};
  if (f.median > 0) f.noise = (quantile(medians, 0.9) - quantile(medians, 0.1)) / f.median;
  return f;
}

/// Distance to the sums in f64 on average; 0 for a kernel without that diagnostic.
double distance_to_exact(const Soak& soak, const std::string& arm) {
  for (const Agreement& a : soak.agreements.at(arm))
    if (a.reference == "matmul") return a.mean_abs;
  return 0;
}

std::string reason_to_keep(const Soak& soak, const Verdict& v, const ArmFigures& standing,
                           const SoakRule& rule) {
  if (v.noise > rule.noise)
    return fmt::format("noise of {:.1f} % is above {:.1f} %", 100 * v.noise, 100 * rule.noise);
  if (v.gain < rule.gain)
    return fmt::format("gain of {:.1f} % is below {:.1f} %", 100 * v.gain, 100 * rule.gain);
  if (v.p95_us > standing.p95)
    return fmt::format("p95 of {:.2f} us is above the default's {:.2f}", v.p95_us, standing.p95);
  const double here = distance_to_exact(soak, v.arm),
               there = distance_to_exact(soak, soak.arms.front());
  if (here > there)
    return fmt::format("mean error against matmul of {:.3g} is above the default's {:.3g}", here,
                       there);
  return {};
}

}  // namespace

std::vector<Verdict> judge_soak(const Soak& soak, const SoakRule& rule) {
  const ArmFigures standing = figures_of(soak, soak.arms.front());
  std::vector<Verdict> verdicts;
  for (std::size_t i = 1; i < soak.arms.size(); ++i) {
    const ArmFigures f = figures_of(soak, soak.arms[i]);
    Verdict v{.arm = soak.arms[i], .median_us = f.median, .p95_us = f.p95};
    v.gain = standing.median > 0 ? 1 - f.median / standing.median : 0;
    v.noise = std::max(f.noise, standing.noise);
    v.why = reason_to_keep(soak, v, standing, rule);
    v.flip = v.why.empty();
    verdicts.push_back(std::move(v));
  }
  return verdicts;
}

std::string table(const std::vector<Verdict>& verdicts, const std::string& standing) {
  std::string out;
  for (const Verdict& v : verdicts)
    out += fmt::format(
        "{} beside the default {}: median {:.2f} us, gain {:.1f} %, noise {:.1f} % -> {}\n", v.arm,
        standing, v.median_us, 100 * v.gain, 100 * v.noise,
        v.flip ? "flip the default" : "keep opt-in: " + v.why);
  return out;
}

nlohmann::ordered_json to_json(const Soak& soak, const std::vector<Verdict>& verdicts,
                               const SoakRule& rule) {
  auto rows = nlohmann::ordered_json::array();
  for (const Verdict& v : verdicts)
    rows.push_back({{"arm", v.arm},
                    {"median_us", v.median_us},
                    {"p95_us", v.p95_us},
                    {"gain", v.gain},
                    {"noise", v.noise},
                    {"verdict", v.flip ? "flip the default" : "keep opt-in"},
                    {"why", v.why}});
  return {{"default", soak.arms.front()},
          {"default_median_us", figures_of(soak, soak.arms.front()).median},
          {"rounds", soak.rounds.size() / soak.arms.size()},
          {"resumed_at", soak.resumed},
          {"gain_required", rule.gain},
          {"noise_allowed", rule.noise},
          {"verdicts", rows}};
}

}  // namespace barline::tools
