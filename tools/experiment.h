// SPDX-License-Identifier: Apache-2.0
// What sweep, audit and soak share: their options, and the device that their arms run on.
#pragma once

#include <functional>
#include <memory>

#include "tools/trial_device.h"

namespace barline::tools {

struct ExperimentOptions {
  std::string kernel = "wo_nvfp4", device = "cuda:0", out;
  std::vector<std::string> set{};  ///< of every arm
  TrialSetup setup{};
};
/// Adds them to a subcommand; `out` is the folder when none is named.
void add_experiment_options(CLI::App& sub, ExperimentOptions& options, const std::string& out);

/// Which dimension takes which values: --wo-split LIST, or --over NAME=LIST for another.
struct Values {
  std::vector<std::string> wo_split{}, over{};
  std::int64_t slice_ctas = 0;
};
void add_value_options(CLI::App& sub, Values& values);
/// Throws UsageError for a list that is none, for both at once, and for fewer slices than parts.
ArmOptions arm_options(const Values& values, const std::string& kernel);

class Experiment {
 public:
  /// `arms_for` makes the arms of a target. It is asked before the device is opened too, and each
  /// arm's settings are checked, so that a wrong word is told from a missing GPU and no arm is
  /// launched before one that cannot be.
  Experiment(const Context& context, const ExperimentOptions& options,
             const std::function<std::vector<Arm>(const Session&, const std::string&)>& arms_for);

  const std::vector<Arm>& arms() const { return arms_; }
  std::unique_ptr<Trial> open(const Arm& arm);
  /// The device's copy rate over buffers of the size of such a payload, in GB/s.
  double copy_gbps(double payload_bytes);
  const driver::DeviceInfo& device() const { return device_.info(); }

 private:
  const ExperimentOptions& options_;
  Session session_;
  driver::Device device_;
  jit::Runtime runtime_;
  std::vector<Arm> arms_;
};

}  // namespace barline::tools
