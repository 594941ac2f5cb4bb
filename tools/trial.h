// SPDX-License-Identifier: Apache-2.0
// One arm of an experiment, on whatever runs it: its facts are written before its first launch, its
// result is compared before a time is taken, and every timed launch must repeat the result's bits.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <vector>

#include "runtime/regions/reduce.h"
#include "tools/agreement.h"

namespace barline::tools {

struct TrialBytes {
  double payload = 0;  ///< what any kernel must move for this problem
  double scratch = 0;  ///< workspace, written and read
  double effective() const { return payload + scratch; }
};

struct OneLaunch {
  double us = 0;
  bool same_bits = true;  ///< as the launch that was compared
};

/// What launches and times: a device, or a recording.
class Trial {
 public:
  virtual ~Trial() = default;
  /// Known before a launch: sizes, code, device.
  virtual nlohmann::ordered_json config() const = 0;
  virtual TrialBytes bytes() const = 0;
  /// One launch, compared.
  virtual std::vector<Agreement> check() = 0;
  virtual OneLaunch launch() = 0;
};

struct TrialRun {
  TrialBytes bytes{};
  std::vector<Agreement> agreements{};
  std::vector<double> us{};  ///< by launch; the first is a warm-up
  bool resumed = false;      ///< an earlier run's, read back
};

/// Of an arm's facts those that must be equal for times to be of the same thing: config, sizes,
/// scalars, seed, launches, code, device.
nlohmann::ordered_json plan_of(const nlohmann::ordered_json& config);

/// Removes what an earlier run left, so that a failure leaves none of it beside new facts.
void forget(const std::string& dir, std::initializer_list<const char*> files);

/// Writes DIR/config.json, compares, writes a DIR/correctness_<reference>.json each. Throws Failure
/// where a gate does not hold. `resumed`: a config.json that is there stays, with the commit and
/// the cache status of the run that it goes on with.
std::vector<Agreement> pass_gate(Trial& trial, const std::string& dir, bool resumed = false);

/// So many launches, timed. Throws Failure at the first with other bits; `arm` names it.
std::vector<double> time_trial(Trial& trial, const std::string& arm, int launches);

/// Both, and DIR/timing.csv. Where an earlier run left all of it for the same plan and as many
/// launches, reads it and launches nothing.
TrialRun run_trial(Trial& trial, const std::string& arm, const std::string& dir, int launches);

/// One row a launch: launch_idx, elapsed_us, payload_bytes, scratch_bytes, effective_bytes,
/// effective_gbps, is_warmup.
std::string timing_csv(const std::vector<double>& us, const TrialBytes& bytes);

/// The run that DIR holds, if it is whole and of the trial's plan.
std::optional<TrialRun> earlier_run(const Trial& trial, const std::string& dir, int launches);

/// Microseconds of a launch.
struct Summary {
  double median = 0, p95 = 0, min = 0, max = 0;
};
Summary summary_of(std::vector<double> us);
/// Without the warm-up.
Summary summary_of(const TrialRun& run);
using regions::quantile;

}  // namespace barline::tools
