// SPDX-License-Identifier: Apache-2.0
#include "tools/selection.h"

#include <fmt/format.h>

#include <algorithm>

#include "tools/error.h"
#include "verify/gate/resource_row.h"
#include "verify/gate/suggest.h"

namespace barline::tools {
namespace {

using verify::KernelEntry;
using verify::ScheduleEntry;
using Names = std::vector<std::string>;

bool holds(const Names& list, std::string_view name) {
  return std::find(list.begin(), list.end(), name) != list.end();
}

template <class T>
Names names_of(const std::vector<T>& list) {
  Names out;
  for (const T& t : list) out.push_back(t.name);
  return out;
}

const KernelEntry& find_kernel(const verify::RegistryFile& registry, const std::string& family) {
  if (const KernelEntry* k = registry.kernel(family)) return *k;
  if (const verify::SourceEntry* s = registry.source(family)) {
    throw UsageError(fmt::format(
        "kernel '{}' is a file ({}) that another compiler made; only gate and list take it", family,
        s->files.front().path));
  }
  Names known = names_of(registry.kernels), files = names_of(registry.sources);
  known.insert(known.end(), files.begin(), files.end());
  throw UsageError(fmt::format("unknown kernel '{}' (not in {}); {}", family, registry.file,
                               verify::did_you_mean(family, known)));
}

void check_parts(const KernelEntry& kernel, const KernelName& name) {
  if (!name.schedule.empty() && !kernel.schedule(name.schedule)) {
    throw UsageError(fmt::format("kernel {} has no schedule '{}'; {}", kernel.name, name.schedule,
                                 verify::did_you_mean(name.schedule, names_of(kernel.schedules))));
  }
  if (!name.type.empty() && !holds(kernel.types, name.type)) {
    throw UsageError(fmt::format("kernel {} has no element type '{}'; {}", kernel.name, name.type,
                                 verify::did_you_mean(name.type, kernel.types)));
  }
}

/// Element types of a schedule; one empty one where the kernel has none.
Names types_of(const ScheduleEntry& schedule) {
  return schedule.types.empty() ? Names{""} : schedule.types;
}

void add_jobs(const KernelEntry& kernel, const KernelName& name, const Names& targets,
              std::vector<Job>& out) {
  for (const ScheduleEntry& schedule : kernel.schedules) {
    if (!name.schedule.empty() && schedule.name != name.schedule) continue;
    for (const std::string& type : types_of(schedule)) {
      if (!name.type.empty() && type != name.type) continue;
      for (const std::string& target : targets) {
        if (holds(schedule.targets, target)) out.push_back({&kernel, &schedule, type, target});
      }
    }
  }
}

[[noreturn]] void fail_empty(const std::string& name) {
  throw UsageError(fmt::format(
      "no config of '{}' is for the chosen type and targets; see `barline list {}`", name, name));
}

}  // namespace

KernelName parse_kernel_name(std::string_view text) {
  KernelName out;
  std::string_view head = text;
  if (std::size_t at = head.find('@'); at != std::string_view::npos) {
    out.schedule = head.substr(at + 1);
    head = head.substr(0, at);
    if (out.schedule.empty() || out.schedule.find('@') != std::string::npos) head = {};
  }
  if (std::size_t dot = head.find('.'); dot != std::string_view::npos) {
    out.type = head.substr(dot + 1);
    head = head.substr(0, dot);
    if (out.type.empty() || out.type.find('.') != std::string::npos) head = {};
  }
  out.family = head;
  if (out.family.empty()) {
    throw UsageError(fmt::format(
        "'{}' is no kernel name; write family[.type][@schedule], as in rms_norm.bf16@row256",
        text));
  }
  return out;
}

std::string Job::config() const { return verify::config_name(kernel->name, type, schedule->name); }

std::string Job::file_stem() const {
  std::string stem = config() + "." + target;
  std::replace(stem.begin(), stem.end(), '/', '_');
  return stem;
}

std::vector<std::string> parse_targets(const std::string& list,
                                       const verify::RegistryFile& registry) {
  if (list.empty()) return registry.targets;
  Names out;
  for (std::size_t at = 0; at <= list.size();) {
    std::size_t end = std::min(list.find(',', at), list.size());
    std::string name = list.substr(at, end - at);
    if (!holds(registry.targets, name)) {
      throw UsageError(fmt::format("unknown target '{}'; {}", name,
                                   verify::did_you_mean(name, registry.targets)));
    }
    if (!holds(out, name)) out.push_back(name);
    at = end + 1;
  }
  return out;
}

std::vector<Job> expand(const verify::RegistryFile& registry, const Names& names,
                        const Names& targets) {
  std::vector<Job> out;
  if (names.empty()) {
    for (const KernelEntry& kernel : registry.kernels) add_jobs(kernel, {}, targets, out);
  }
  for (const std::string& text : names) {
    KernelName name = parse_kernel_name(text);
    const KernelEntry& kernel = find_kernel(registry, name.family);
    check_parts(kernel, name);
    std::vector<Job> jobs;
    add_jobs(kernel, name, targets, jobs);
    if (jobs.empty()) fail_empty(text);
    for (Job& job : jobs)
      if (std::find(out.begin(), out.end(), job) == out.end()) out.push_back(std::move(job));
  }
  return out;
}

Job expand_one(const verify::RegistryFile& registry, const std::string& text,
               const std::string& target) {
  std::vector<Job> jobs = expand(registry, {text}, {target});
  const std::vector<std::string>& types = jobs.front().kernel->types;
  if (types.empty() || !parse_kernel_name(text).type.empty()) return jobs.front();
  // Without a type: the registry's first one, under the first schedule that has it.
  for (const std::string& type : types) {
    for (const Job& job : jobs) {
      if (job.type == type) return job;
    }
  }
  return jobs.front();
}

Job expand_for_simulator(const verify::RegistryFile& registry, const std::string& text) {
  const std::vector<Job> all = expand(registry, {text}, registry.targets);
  for (const std::string& target : registry.targets)
    if (std::any_of(all.begin(), all.end(), [&](const Job& j) { return j.target == target; }))
      return expand_one(registry, text, target);
  return all.front();
}

}  // namespace barline::tools
