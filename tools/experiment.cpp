// SPDX-License-Identifier: Apache-2.0
#include "tools/experiment.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <exception>

#include "tools/error.h"
#include "tools/git_head.h"
#include "tools/number_list.h"
#include "tools/settings.h"

namespace barline::tools {
namespace {

/// Blocks a head of wo_nvfp4 in the register's shapes.
constexpr std::int64_t usual_slices = 8;

using ArmsFor = std::function<std::vector<Arm>(const Session&, const std::string&)>;

/// Targets that the kernel is built for, in the register's order.
std::vector<std::string> targets_of(const Session& session, const std::string& kernel) {
  std::vector<std::string> targets;
  for (const Job& job : session.jobs({kernel}, ""))
    if (std::find(targets.begin(), targets.end(), job.target) == targets.end())
      targets.push_back(job.target);
  return targets;
}

/// The arms of a target, each of which its config takes.
std::vector<Arm> checked_arms(const Session& session, const std::string& target,
                              const ExperimentOptions& options, const ArmsFor& arms_for) {
  std::vector<Arm> arms = arms_for(session, target);
  const auto set = parse_settings(options.set);
  for (const Arm& arm : arms) check_arm(session, arm, options.setup.shape, set);
  return arms;
}

/// Returns if a target has all arms. Where none has, the first says why: the device is not known
/// yet, and a config may be another target's alone.
void check_for_a_target(const Session& session, const ExperimentOptions& options,
                        const ArmsFor& arms_for) {
  std::exception_ptr why;
  for (const std::string& target : targets_of(session, options.kernel)) {
    try {
      checked_arms(session, target, options, arms_for);
      return;
    } catch (const UsageError&) {
      if (!why) why = std::current_exception();
    }
  }
  std::rethrow_exception(why);
}

/// Opens the device after the words were read, and the arms made and checked once, without it.
driver::Device checked_device(const Context& context, const Session& session,
                              const ExperimentOptions& options, const ArmsFor& arms_for) {
  check_for_a_target(session, options, arms_for);
  return open_device(context, options.device);
}

}  // namespace

void add_experiment_options(CLI::App& sub, ExperimentOptions& o, const std::string& out) {
  o.out = out;
  sub.add_option("kernel", o.kernel, "family[.type][@schedule]; wo_nvfp4 when left out");
  sub.add_option("--shape", o.setup.shape, "A shape of kernels.yaml (decode)");
  sub.add_option("--set", o.set, "dim=value or scalar=value, of every arm");
  sub.add_option("--device", o.device, "cuda:N");
  sub.add_option("--launches", o.setup.launches,
                 "Timed launches of an arm; in a soak, of its part of a round")
      ->check(CLI::Range(2, 100000));
  sub.add_option("--seed", o.setup.seed, "Of the generated input");
  sub.add_option("--git-sha", o.setup.commit, "Kept in config.json; read from .git when left out");
  sub.add_option("--out", o.out, "Folder of the results (" + out + ")")->type_name("DIR");
}

void add_value_options(CLI::App& sub, Values& v) {
  sub.add_option("--wo-split", v.wo_split, "Splits, as in 1,2,4,8 (that when left out)")
      ->type_name("LIST");
  sub.add_option("--over", v.over, "Another dimension that schedules bind, or axis: NAME=LIST")
      ->type_name("NAME=LIST");
  sub.add_option("--slice-ctas", v.slice_ctas, "Blocks a head; the shape's when left out")
      ->check(CLI::PositiveNumber);
}

ArmOptions arm_options(const Values& v, const std::string& kernel) {
  ArmOptions o{.kernel = kernel, .over = "wo_split", .slice_ctas = v.slice_ctas};
  if (!v.over.empty()) {
    if (!v.wo_split.empty())
      throw UsageError("--over and --wo-split: one dimension at a time; leave one of them out");
    std::vector<std::string> words = v.over;
    const std::size_t eq = words.front().find('=');
    if (eq == words.front().npos || eq == 0)
      throw UsageError(fmt::format("--over '{}': write NAME=LIST, as in B=1,2,4", words.front()));
    o.over = words.front().substr(0, eq);
    words.front().erase(0, eq + 1);
    o.values = parse_numbers("--over " + o.over, words);
  } else {
    o.values = v.wo_split.empty() ? std::vector<std::int64_t>{1, 2, 4, 8}
                                  : parse_numbers("--wo-split", v.wo_split);
  }
  if (o.over == "wo_split")
    for (std::int64_t split : o.values)
      check_slices(split, v.slice_ctas ? v.slice_ctas : usual_slices);
  return o;
}

Experiment::Experiment(const Context& context, const ExperimentOptions& options,
                       const ArmsFor& arms_for)
    : options_(options),
      session_(context),
      device_(checked_device(context, session_, options, arms_for)),
      runtime_(context.runtime),
      arms_(checked_arms(session_, std::string(jit::target_for(device_.info()).name), options,
                         arms_for)) {}

std::unique_ptr<Trial> Experiment::open(const Arm& arm) {
  TrialSetup setup = options_.setup;
  setup.set = parse_settings(options_.set);
  if (setup.commit.empty()) setup.commit = git_head(".");
  return std::make_unique<DeviceTrial>(session_, device_, runtime_, arm, setup);
}

double Experiment::copy_gbps(double payload_bytes) {
  // Read and written bytes both count, so that half of them is a buffer; in whole 16-byte units.
  const auto bytes = static_cast<std::size_t>(payload_bytes / 2) / 16 * 16 + 16;
  return copy_rate(device_, runtime_, bytes, {});
}

}  // namespace barline::tools
