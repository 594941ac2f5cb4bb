// SPDX-License-Identifier: Apache-2.0
#include "tools/command_line.h"

#include <fmt/format.h>

#include "barline_codegen_id.h"
#include "tools/commands.h"
#include "tools/error.h"
#include "verify/gate/suggest.h"

namespace barline::tools {
namespace {

using Names = std::vector<std::string>;

void add_globals(CLI::App& app, Context& c) {
  app.add_option("--registry", c.registry, "kernels.yaml to use")->type_name("FILE");
  app.add_option("--cache-dir", c.cache_dir, "Folder of the cubin cache")->type_name("DIR");
  app.add_option("--ptxas", c.ptxas, "The ptxas program to use")->type_name("PATH");
  app.add_option("--assembler", c.assembler,
                 "auto (the first that is there), ptxas, nvjitlink or driver")
      ->check(CLI::IsMember({"auto", "ptxas", "nvjitlink", "driver"}))
      ->type_name("NAME");
  app.add_option("--jobs", c.jobs, "Threads that compile and simulate; 0: one a processor")
      ->check(CLI::Range(0, 1024))
      ->type_name("N");
  app.add_flag("--quiet", c.quiet, "No messages on stderr but errors");
  app.add_flag("--verbose", c.verbose, "More messages on stderr");
  app.add_flag("--json", c.json, "One JSON object on stdout");
  app.add_option("--plugin", c.plugins, "A shared object with kernels of its own; repeatable")
      ->type_name("FILE.so")
      ->allow_extra_args(false);
}

Names names_of(const CLI::App& app) {
  Names out;
  for (const CLI::App* sub : app.get_subcommands([](const CLI::App*) { return true; })) {
    if (!sub->get_group().empty()) out.push_back(sub->get_name());
  }
  return out;
}

void collect_options(const CLI::App& app, Names& out) {
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) out.push_back("--" + name);
  }
}

/// The app that the words name as far as they can be followed.
const CLI::App* named(const CLI::App& app) {
  const CLI::App* at = &app;
  while (!at->get_subcommands().empty()) at = at->get_subcommands().front();
  return at;
}

/// The words of the command that is named: "barline cache gc".
std::string words_of(const CLI::App& app) {
  std::string words;
  for (const CLI::App* at = named(app); at != &app; at = at->get_parent())
    words = " " + at->get_name() + words;
  return "barline" + words;
}

[[noreturn]] void fail_extra(const CLI::App& app, const std::string& word) {
  const CLI::App* at = named(app);
  const std::string where = words_of(app);
  if (word.rfind('-', 0) == 0) {
    Names options;
    collect_options(*at, options);
    if (at != &app) collect_options(app, options);
    std::string near = verify::nearest(word.substr(0, word.find('=')), options);
    throw UsageError(fmt::format("unknown option '{}'; {}", word,
                                 near.empty() ? fmt::format("see `{} --help`", where)
                                              : fmt::format("did you mean '{}'?", near)));
  }
  Names known = names_of(*at);
  if (known.empty()) {
    throw UsageError(fmt::format("unexpected argument '{}'; see `{} --help`", word, where));
  }
  throw UsageError(
      fmt::format("unknown command '{}'; {}", word, verify::did_you_mean(word, known)));
}

}  // namespace

CLI::App& add_command(CLI::App& app, const std::string& name, const std::string& description,
                      const std::string& example) {
  CLI::App* sub = app.add_subcommand(name, description);
  sub->footer("Example:\n  " + example);
  sub->fallthrough();
  return *sub;
}

void define(CLI::App& app, Context& context) {
  app.description(
      "barline: a kernel compiler for NVIDIA GPUs with a gate, a proof and a simulator");
  app.footer(
      "Example:\n  barline build rms_norm --arch sm_90a\n\nbarline COMMAND --help tells more.");
  app.set_version_flag("--version", std::string("barline ") + BARLINE_VERSION);
  app.fallthrough();
  app.require_subcommand(1);
  add_globals(app, context);
  add_demo(app, context);
  add_new(app, context);
  add_list(app, context);
  add_build(app, context);
  add_gate(app, context);
  add_verify(app, context);
  add_mutate(app, context);
  add_run(app, context);
  add_bench(app, context);
  add_trace(app, context);
  add_tune(app, context);
  add_sweep(app, context);
  add_audit(app, context);
  add_soak(app, context);
  add_explain(app, context);
  add_cache(app, context);
  add_pack(app, context);
  add_doctor(app, context);
  add_schema(app, context);
  add_completion(app, context);
}

void parse(CLI::App& app, Context& context, int argc, const char* const* argv) {
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& e) {  // help, version
    context.action = {};
    app.exit(e);
  } catch (const CLI::ParseError& e) {
    // An unknown word is the better message where both it and a missing command are wrong.
    if (Names extra = app.remaining(true); !extra.empty()) fail_extra(app, extra.front());
    if (dynamic_cast<const CLI::RequiredError*>(&e) && named(app) == &app) {
      throw UsageError(fmt::format("no command is named; see `barline --help`"));
    }
    throw UsageError(fmt::format("{}; see `{} --help`", e.what(), words_of(app)));
  }
}

}  // namespace barline::tools
