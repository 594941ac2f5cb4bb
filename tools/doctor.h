// SPDX-License-Identifier: Apache-2.0
// What `barline doctor` looks at: each check says what it found, why that matters and, where
// something is wrong, the fix. What can be judged without a machine stands here as a function of
// what was found, for tests.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tools/context.h"

namespace barline::tools {

class Session;

/// Warn: it works, with something missing or slower. Fail: what needs it does not work.
enum class Health { Ok, Warn, Fail };
std::string_view name(Health health);

struct Check {
  std::string name{};
  Health health = Health::Ok;
  std::string detail{};
  std::string why{};                 ///< what needs it
  std::string fix{};                 ///< unless Ok
  ExitCode code = ExitCode::Failed;  ///< of a Fail
};
using Checks = std::vector<Check>;

/// Every check, in the order of print. Throws nothing that a machine can be blamed for.
Checks examine(const Context& context);

// The groups. `session` is null where the register or a plugin is refused.
void check_build(const Context& context, Session* session, Checks& out);
void check_assembler(Session* session, Checks& out);
void check_cache(const Context& context, Checks& out);
void check_machine(const Context& context, Checks& out);
void check_gpus(const Context& context, const Session* session, Checks& out);
void check_hosts(const Context& context, Checks& out);

// What is judged of what was found.
Check judge_release(const std::string& found, const std::string& pinned);
Check judge_space(std::uint64_t free, std::uint64_t cap, const std::string& folder);
Check judge_open_files(std::uint64_t limit);
Check judge_memory(std::uint64_t available);
Check judge_clock(std::int64_t now, std::int64_t built);
Check judge_variables(const std::vector<std::string>& names);
/// A GPU of this compute capability against the targets that kernels are compiled for.
Check judge_device(const std::string& label, const std::string& detail, int sm,
                   const std::vector<std::string>& targets);

/// The BARLINE_ variables that the program reads.
const std::vector<std::string>& known_variables();

}  // namespace barline::tools
