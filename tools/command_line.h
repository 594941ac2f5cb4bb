// SPDX-License-Identifier: Apache-2.0
// The command line as a whole: global options, subcommands, and what is said about a wrong one.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "tools/context.h"

namespace barline::tools {

/// A subcommand whose --help ends in the example.
CLI::App& add_command(CLI::App& app, const std::string& name, const std::string& description,
                      const std::string& example);

/// Adds the global options and every subcommand.
void define(CLI::App& app, Context& context);

/// Parses and sets context.action; empty when help or the version was asked for (then printed).
/// Throws UsageError with a suggestion for an unknown subcommand or option.
void parse(CLI::App& app, Context& context, int argc, const char* const* argv);

}  // namespace barline::tools
