// SPDX-License-Identifier: Apache-2.0
// `barline completion`: a script for a shell, and the hidden command that the script asks.
#include "tools/command_line.h"
#include "tools/commands.h"
#include "tools/completion.h"
#include "tools/session.h"

namespace barline::tools {
namespace {

/// The register that the line being written names, or the default one. Where that cannot be read
/// there is none: a half-written line is no place for errors.
verify::RegistryFile registry_of(Context context, const std::vector<std::string>& words) {
  context.quiet = true;
  context.registry = option_value(words, "--registry");
  if (std::string plugin = option_value(words, "--plugin"); !plugin.empty()) {
    context.plugins = {plugin};
  }
  try {
    return Session(context).registry();
  } catch (const std::exception&) {
    return {};
  }
}

ExitCode answer(const CLI::App& app, const CLI::App& sub, const Context& context) {
  std::vector<std::string> words = sub.remaining();
  std::string out;
  for (const std::string& c : complete(app, registry_of(context, words), words)) out += c + "\n";
  print_out(out);
  return ExitCode::Ok;
}

}  // namespace

void add_completion(CLI::App& app, Context& context) {
  CLI::App& sub = add_command(app, "completion", "Print a completion script for a shell",
                              "source <(barline completion bash)");
  auto shell = std::make_shared<std::string>("bash");
  sub.add_option("shell", *shell, "bash, zsh or fish; bash when left out")
      ->check(CLI::IsMember({"bash", "zsh", "fish"}));
  sub.callback([&context, shell] {
    context.action = [shell] {
      print_out(completion_script(*shell));
      return ExitCode::Ok;
    };
  });
  // The words are another command line's: nothing of them is parsed.
  CLI::App* hidden = app.add_subcommand("__complete", "Candidates for the last word")->group("");
  hidden->fallthrough(false);
  hidden->prefix_command();
  hidden->callback([&app, &context, hidden] {
    context.action = [&app, &context, hidden] { return answer(app, *hidden, context); };
  });
}

}  // namespace barline::tools
