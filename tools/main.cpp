// SPDX-License-Identifier: Apache-2.0
// The `barline` program: reads the environment, parses the command line, runs one subcommand and
// turns what comes of it into an exit code.
#include <fmt/format.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>

#include "tools/command_line.h"
#include "tools/error.h"
#include "tools/exit_code.h"

namespace {

using namespace barline::tools;

void read_environment(Context& context) {
  context.progress = ::isatty(STDERR_FILENO) == 1;
  const char* no_color = std::getenv("NO_COLOR");
  context.color = context.progress && !(no_color && *no_color);
  for (char** v = environ; *v; ++v) {
    std::string_view text = *v;
    if (text.starts_with("BARLINE_"))
      context.variables.emplace_back(text.substr(0, text.find('=')));
  }
  std::error_code error;
  context.program = std::filesystem::read_symlink("/proc/self/exe", error);
  try {
    context.runtime = barline::runtime::options_from_environment();
  } catch (const std::invalid_argument& e) {
    throw UsageError(e.what());
  }
}

/// Options of the command line go over the environment's.
void apply_options(Context& context) {
  if (!context.cache_dir.empty()) {
    context.runtime.cache.dir = std::filesystem::absolute(context.cache_dir);
  }
  if (!context.ptxas.empty()) context.runtime.ptxas = std::filesystem::absolute(context.ptxas);
  if (!context.assembler.empty())
    context.runtime.assembler = *barline::runtime::parse_assembler(context.assembler);
  context.runtime.cache.warn = [&context](const std::string& text) { context.warn(text); };
}

int run(int argc, char** argv) {
  Context context;
  try {
    CLI::App app("", "barline");
    define(app, context);
    parse(app, context, argc, argv);
    if (!context.action) return 0;
    read_environment(context);
    apply_options(context);
    return static_cast<int>(context.action());
  } catch (...) {
    ExitReport report = report_of(std::current_exception());
    fmt::print(stderr, "{}error:{} {}\n", context.color ? "\033[31m" : "",
               context.color ? "\033[0m" : "", report.message);
    return static_cast<int>(report.code);
  }
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);  // a closed pipe is a failing write and has an exit code
  return run(argc, argv);
}
