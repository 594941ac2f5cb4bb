// SPDX-License-Identifier: Apache-2.0
// What every subcommand is given: the global options, the environment as main read it, and where
// messages go. stdout is data; everything else is written to stderr here.
#pragma once

#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/options.h"
#include "tools/exit_code.h"

namespace CLI {
class App;
}

namespace barline::tools {

struct Context {
  std::string registry{};  ///< --registry, or empty for the default
  std::string cache_dir{};
  std::string ptxas{}, assembler{};
  int jobs = 0;  ///< 0: as many as the machine has processors
  bool quiet = false, verbose = false, json = false;
  std::vector<std::string> plugins{};

  runtime::Options runtime{};            ///< from the environment, options above not yet applied
  std::filesystem::path program{};       ///< this executable
  std::vector<std::string> variables{};  ///< names of the BARLINE_ variables that are set
  bool color = false;                    ///< stderr is a terminal and NO_COLOR is not set
  bool progress = false;                 ///< stderr is a terminal

  /// Set by the subcommand that was named; main runs it after all options are parsed.
  std::function<ExitCode()> action{};

  int threads() const;
  void say(std::string_view text) const;   ///< a line on stderr, unless --quiet
  void note(std::string_view text) const;  ///< a line on stderr, with --verbose
  void warn(std::string_view text) const;  ///< "warning: ..." on stderr, unless --quiet
};

/// Prints `data` on stdout as one JSON object with "schema": "barline.<command>/1" in front.
void print_json(std::string_view command, const nlohmann::ordered_json& data);

/// Prints text on stdout; throws IoError when that fails.
void print_out(std::string_view text);

}  // namespace barline::tools
