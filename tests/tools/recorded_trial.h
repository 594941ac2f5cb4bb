// SPDX-License-Identifier: Apache-2.0
// A trial whose times were written down: what experiments make of them, without a GPU.
#pragma once

#include <functional>

#include "tools/trial.h"

namespace barline::test {

struct RecordedTrial final : tools::Trial {
  nlohmann::ordered_json facts = {{"kernel", "recorded"}, {"cubin_hash", "c0"}};
  tools::TrialBytes moved{1000, 500};
  std::vector<tools::Agreement> agreements = {
      {.reference = "split_order", .gate = true, .elements = 4},
      {.reference = "matmul", .mean_abs = 0.5, .elements = 4}};
  std::vector<double> times = {10};  ///< over and over
  int differs_at = -1;               ///< the launch that gives other bits
  int launches = 0, checks = 0;
  std::function<void()> on_check = [] {}, on_launch = [] {};

  nlohmann::ordered_json config() const override { return facts; }
  tools::TrialBytes bytes() const override { return moved; }
  std::vector<tools::Agreement> check() override {
    ++checks;
    on_check();
    return agreements;
  }
  tools::OneLaunch launch() override {
    on_launch();
    const int i = launches++;
    return {times[static_cast<std::size_t>(i) % times.size()], i != differs_at};
  }
};

}  // namespace barline::test
