// SPDX-License-Identifier: Apache-2.0
// What may stand at the cursor of a command line: made from the command line's own definition and
// from the register, so that it cannot go stale.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "verify/gate/registry_file.h"

namespace barline::tools {

/// Candidates for the last of `words`, which may be empty; the first is the program. All begin with
/// that word. None where a file may stand, so that the shell offers its own.
std::vector<std::string> complete(const CLI::App& app, const verify::RegistryFile& registry,
                                  const std::vector<std::string>& words);

/// The value of the last `--name VALUE` or `--name=VALUE` among the words, or "".
std::string option_value(const std::vector<std::string>& words, const std::string& name);

/// The script of a shell that asks `barline __complete` at each cursor; `bash`, `zsh` or `fish`.
std::string completion_script(const std::string& shell);

}  // namespace barline::tools
