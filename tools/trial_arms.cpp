// SPDX-License-Identifier: Apache-2.0
#include "tools/trial_arms.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <optional>
#include <set>

#include "tools/compile_job.h"
#include "tools/error.h"
#include "tools/problem.h"
#include "verify/gate/suggest.h"

namespace barline::tools {
namespace {

std::optional<std::int64_t> bound_value(const Job& job, const std::string& dim) {
  for (const verify::Dim& d : job.schedule->dims)
    if (d.name == dim) return d.value;
  return {};
}

void check_axis(const Session& session, const Job& job, const std::string& name) {
  std::vector<std::string> names;
  const ir::Kernel kernel = instantiate(session, job);
  for (const ir::Axis& a : kernel.axes)
    if (a.of < 0) names.push_back(a.name);
  if (std::find(names.begin(), names.end(), name) == names.end())
    throw UsageError(fmt::format("{}: the kernel has no dimension '{}'; {}", job.kernel->name, name,
                                 verify::did_you_mean(name, names)));
}

/// The job that binds the value, or the first one that leaves the dimension to the launch.
const Job& job_of(const std::vector<Job>& jobs, const std::string& dim, std::int64_t value) {
  std::set<std::int64_t> bound;
  const Job* any = nullptr;
  for (const Job& job : jobs) {
    const auto has = bound_value(job, dim);
    if (has == value) return job;
    if (has) bound.insert(*has);
    if (!has && !any) any = &job;
  }
  if (any) return *any;
  throw UsageError(fmt::format("{} {}: no schedule of {} binds it; kernels.yaml has {}", dim, value,
                               jobs.front().kernel->name, fmt::join(bound, ", ")));
}

}  // namespace

void check_slices(std::int64_t wo_split, std::int64_t slice_ctas) {
  if (wo_split < 1 || slice_ctas < wo_split)
    throw UsageError(fmt::format(
        "wo_split {}, slice_ctas {}: a head's parts fall to its blocks, so slice_ctas >= wo_split "
        ">= 1; pass --slice-ctas {} or a smaller --wo-split",
        wo_split, slice_ctas, std::max<std::int64_t>(wo_split, 1)));
}

std::map<std::string, double> settings_of(const Arm& arm,
                                          const std::map<std::string, double>& set) {
  std::map<std::string, double> all = arm.set;
  for (const auto& [name, value] : set)
    if (!all.emplace(name, value).second)
      throw UsageError(
          fmt::format("--set {}={}: arm {} has {} {} of its own; leave it out of --set", name,
                      value, arm.label, name, arm.set.at(name)));
  return all;
}

void check_arm(const Session& session, const Arm& arm, const std::string& shape,
               const std::map<std::string, double>& set) {
  const auto all = settings_of(arm, set);
  // Before the sizes: the rule says more than the multiple that the axis takes under a config.
  if (all.contains("wo_split") && all.contains("slice_ctas"))
    check_slices(static_cast<std::int64_t>(all.at("wo_split")),
                 static_cast<std::int64_t>(all.at("slice_ctas")));
  check_sizes(session, arm.job, {.shape = shape, .set = all});
}

std::vector<Arm> make_arms(const Session& session, const ArmOptions& o, const std::string& target) {
  std::vector<Job> jobs = session.jobs({o.kernel}, target);
  const std::string type = jobs.front().type;
  std::erase_if(jobs, [&](const Job& j) { return j.type != type; });
  check_axis(session, jobs.front(), o.over);
  if (o.slice_ctas) check_axis(session, jobs.front(), "slice_ctas");
  std::vector<Arm> arms;
  for (std::int64_t value : o.values) {
    Arm arm{.label = fmt::format("{}{}", o.over, value), .value = value};
    arm.job = job_of(jobs, o.over, value);
    arm.set[o.over] = static_cast<double>(value);
    if (o.slice_ctas) arm.set["slice_ctas"] = static_cast<double>(o.slice_ctas);
    arms.push_back(std::move(arm));
  }
  return arms;
}

}  // namespace barline::tools
