// SPDX-License-Identifier: Apache-2.0
// `barline completion`: a bash completion script, made from the command line's own definition.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "tools/command_line.h"
#include "tools/commands.h"

namespace barline::tools {
namespace {

std::vector<std::string> options_of(const CLI::App& app) {
  std::vector<std::string> out;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) out.push_back("--" + name);
  }
  return out;
}

std::string script(const CLI::App& app) {
  std::vector<std::string> commands;
  std::string cases;
  for (const CLI::App* sub : app.get_subcommands([](const CLI::App*) { return true; })) {
    commands.push_back(sub->get_name());
    std::vector<std::string> words = options_of(*sub);
    for (const CLI::App* below : sub->get_subcommands([](const CLI::App*) { return true; })) {
      words.push_back(below->get_name());
    }
    cases += fmt::format("    {}) words=\"{}\" ;;\n", sub->get_name(), fmt::join(words, " "));
  }
  return fmt::format(R"sh(# bash completion of barline; load it with: source <(barline completion)
_barline() {{
  local current="${{COMP_WORDS[COMP_CWORD]}}" command="" words="" word
  for word in "${{COMP_WORDS[@]:1:COMP_CWORD-1}}"; do
    case " {0} " in *" $word "*) command="$word"; break ;; esac
  done
  case "$command" in
    "") words="{0}" ;;
{1}  esac
  case "$command" in
    list|build|gate|verify|mutate|run|explain)
      [[ "$current" == -* ]] || words="$words $(barline list --names --quiet 2>/dev/null)" ;;
  esac
  COMPREPLY=($(compgen -o default -W "$words {2}" -- "$current"))
}}
complete -o default -F _barline barline
)sh",
                     fmt::join(commands, " "), cases, fmt::join(options_of(app), " "));
}

}  // namespace

void add_completion(CLI::App& app, Context& context) {
  CLI::App& sub = add_command(app, "completion", "Print a bash completion script",
                              "source <(barline completion)");
  sub.callback([&app, &context] {
    context.action = [&app] {
      print_out(script(app));
      return ExitCode::Ok;
    };
  });
}

}  // namespace barline::tools
