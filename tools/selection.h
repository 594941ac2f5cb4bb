// SPDX-License-Identifier: Apache-2.0
// From names on the command line to configs: `family[.type][@schedule]`, and --arch.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "verify/gate/registry_file.h"

namespace barline::tools {

/// A kernel as the command line names it; empty parts mean all, or the default.
struct KernelName {
  std::string family, type, schedule;
};
/// Throws UsageError for a name that has not this form.
KernelName parse_kernel_name(std::string_view text);

/// One config on one target. Pointers lead into the registry that it was expanded from.
struct Job {
  const verify::KernelEntry* kernel = nullptr;
  const verify::ScheduleEntry* schedule = nullptr;
  std::string type;  ///< empty where the kernel has no types
  std::string target;

  bool operator==(const Job&) const = default;
  std::string config() const;     ///< "rms_norm.bf16@row256"
  std::string file_stem() const;  ///< config() and target, with `/` as `_`
};

/// Splits "sm_80,sm_90a" and checks each against the targets of the registry. Empty: all of them.
/// Throws UsageError with a suggestion.
std::vector<std::string> parse_targets(const std::string& list,
                                       const verify::RegistryFile& registry);

/// The jobs of the named kernels (of all, when none is named) on `targets`, in registry order. A
/// config whose own `targets:` leaves a target out is skipped, unless that leaves a named kernel
/// with nothing to do; one that several names have is taken once. Throws UsageError for names that
/// the registry does not hold.
std::vector<Job> expand(const verify::RegistryFile& registry, const std::vector<std::string>& names,
                        const std::vector<std::string>& targets);

/// The one config that `run` and `explain` mean: the first type, and the first schedule that has
/// the target, where the name leaves them out.
Job expand_one(const verify::RegistryFile& registry, const std::string& name,
               const std::string& target);
/// The same for the simulator, which has no target of its own: on the first that has the config.
Job expand_for_simulator(const verify::RegistryFile& registry, const std::string& name);

}  // namespace barline::tools
