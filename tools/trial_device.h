// SPDX-License-Identifier: Apache-2.0
// An arm on a GPU: launches one at a time between two events, on copies of the operands that take
// turns so that no launch finds its weights in the L2 cache.
#pragma once

#include <optional>

#include "tools/measure.h"
#include "tools/trial.h"
#include "tools/trial_arms.h"

namespace barline::tools {

struct TrialSetup {
  std::string shape = "decode", commit{};
  std::map<std::string, double> set{};  ///< sizes and scalars over the shape's, beside an arm's
  std::uint64_t seed = 1;
  int launches = 50;
};

class DeviceTrial final : public Trial {
 public:
  /// Makes the problem and its reference, and finds or compiles the kernel. Launches nothing.
  DeviceTrial(const Session& session, const driver::Device& device, jit::Runtime& runtime,
              const Arm& arm, const TrialSetup& setup);

  nlohmann::ordered_json config() const override;
  TrialBytes bytes() const override;
  std::vector<Agreement> check() override;
  OneLaunch launch() override;

 private:
  runtime::Found find(const Session& session, jit::Runtime& runtime) const;
  DeviceProblem& operands();
  double time_one(int copy);
  std::vector<std::string> outputs() const;

  driver::Device device_;
  const dsl::KernelEntry& entry_;
  Arm arm_;
  TrialSetup setup_;
  Problem problem_;
  ir::Elem elem_;
  runtime::Found found_;
  runtime::Libraries libraries_;
  jit::Prepared prepared_;
  driver::Stream stream_;
  std::optional<DeviceProblem> operands_{};
  std::map<std::string, ir::Tensor> compared_{};  ///< the outputs of the launch that was compared
  int next_ = 0;
};

}  // namespace barline::tools
