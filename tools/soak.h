// SPDX-License-Identifier: Apache-2.0
// A soak: arms in turn, round after round, so that a drift of the machine meets all of them; every
// round is on disk before the next begins, so that a cut soak goes on where it was. The first arm
// is the default, which another takes the place of only by a clear gain.
#pragma once

#include <functional>
#include <map>
#include <memory>

#include "tools/trial.h"

namespace barline::tools {

struct SoakRound {
  int round = 0;
  std::string arm;
  int launches = 0;
  Summary time{};
};

std::string soak_csv(const std::vector<SoakRound>& rounds);
/// Throws UsageError that names `file` and the line of what soak_csv did not write.
std::vector<SoakRound> parse_soak_csv(const std::string& text, const std::string& file);

struct SoakArm {
  std::string label;
  std::unique_ptr<Trial> trial{};
};

struct SoakOptions {
  std::string dir;
  int rounds = 20, launches = 50;  ///< an arm and round
};

struct Soak {
  std::vector<std::string> arms{};  ///< the default first
  std::vector<SoakRound> rounds{};
  std::map<std::string, std::vector<Agreement>> agreements{};
  int resumed = 0;  ///< rounds that were there already
};

/// Gates every arm (DIR/<arm>), then launches the rounds that DIR/soak.csv lacks; `step` hears of
/// each. Throws UsageError where DIR holds a soak of other arms, inputs, code or device.
Soak run_soak(std::vector<SoakArm>& arms, const SoakOptions& options,
              const std::function<void(const SoakRound&)>& step = {});

struct SoakRule {
  double gain = 0.05;   ///< of the median, at least, for another default
  double noise = 0.02;  ///< of an arm's rounds, at most, to judge at all
};

struct Verdict {
  std::string arm;
  double median_us = 0, p95_us = 0;
  double gain = 0;   ///< 1 - median / the default's
  double noise = 0;  ///< (p90 - p10) / median over the rounds, the larger of this and the default
  bool flip = false;
  std::string why{};  ///< after "keep opt-in": which condition does not hold
};
/// One for each arm after the first.
std::vector<Verdict> judge_soak(const Soak& soak, const SoakRule& rule);

std::string table(const std::vector<Verdict>& verdicts, const std::string& standing);
nlohmann::ordered_json to_json(const Soak& soak, const std::vector<Verdict>& verdicts,
                               const SoakRule& rule);

}  // namespace barline::tools
