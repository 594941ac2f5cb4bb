// SPDX-License-Identifier: Apache-2.0
// `barline cache stat|list|verify|gc|clear|extract|explain`: care of the cubin cache on disk.
#include "tools/cache_actions.h"
#include "tools/command_line.h"
#include "tools/commands.h"

namespace barline::tools {
namespace {

/// Adds `barline cache NAME`; `example` is what follows the name in its help.
template <typename Action>
CLI::App& add(CLI::App& cache, Context& context, const char* name, const char* text,
              const std::string& example, Action action) {
  CLI::App& sub = add_command(cache, name, text, std::string("barline cache ") + name + example);
  sub.callback(
      [&context, action] { context.action = [&context, action] { return action(context); }; });
  return sub;
}

void add_cache_gc(CLI::App& cache, Context& context) {
  struct Caps {
    std::optional<std::uint64_t> bytes, files;
  };
  auto caps = std::make_shared<Caps>();
  CLI::App& sub = add(cache, context, "gc",
                      "Remove the least recently used entries above the caps, and what dead "
                      "processes left",
                      " --max-bytes 500MiB", [caps](const Context& c) {
                        const runtime::CacheOptions& o = c.runtime.cache;
                        return run_cache_gc(c, caps->bytes.value_or(o.max_bytes),
                                            caps->files.value_or(o.max_files));
                      });
  // A negative number would wrap around.
  const CLI::Validator no_sign(
      [](const std::string& text) {
        return text.starts_with('-') ? text + " is below 0; pass a size" : std::string();
      },
      "");
  sub.add_option("--max-bytes", caps->bytes, "Cap of this run, as in 500MiB")
      ->transform(CLI::AsSizeValue(false))
      ->check(no_sign);
  sub.add_option("--max-files", caps->files, "Cap of this run")->check(no_sign);
}

void add_cache_extract(CLI::App& cache, Context& context) {
  auto options = std::make_shared<ExtractOptions>();
  CLI::App& sub = add(cache, context, "extract", "Write an entry's cubin to a file",
                      " 3f9a17c2 -o kernel.cubin",
                      [options](const Context& c) { return run_cache_extract(c, *options); });
  sub.add_option("key", options->key, "The entry's key or its front, as `list` shows it")
      ->required();
  sub.add_flag("--ptx", options->ptx, "Its PTX instead");
  sub.add_option("-o,--output", options->file, "The file; named after the kernel when left out")
      ->type_name("FILE");
}

void add_cache_explain(CLI::App& cache, Context& context) {
  struct Options {
    std::vector<std::string> kernels;
    std::string arch;
  };
  auto o = std::make_shared<Options>();
  CLI::App& sub =
      add(cache, context, "explain", "Is a config kept, and if not, which field of its key differs",
          " rms_norm.bf16 --arch sm_90a",
          [o](const Context& c) { return run_cache_explain(c, o->kernels, o->arch); });
  sub.add_option("kernels", o->kernels, "family[.type][@schedule]; all when left out");
  sub.add_option("--arch", o->arch, "Targets, as in sm_80,sm_90a; all when left out");
}

}  // namespace

void add_cache(CLI::App& app, Context& context) {
  CLI::App& sub = add_command(app, "cache", "Care of the cubin cache", "barline cache stat");
  sub.require_subcommand(1);
  add(sub, context, "stat", "Number and size of what is kept", "", run_cache_stat);
  add(sub, context, "list", "Every entry, most recently used first", "", run_cache_list);
  auto repair = std::make_shared<bool>(false);
  add(sub, context, "verify", "Check every entry; exit 1 when one is bad", "",
      [repair](const Context& c) { return run_cache_verify(c, *repair); })
      .add_flag("--repair", *repair, "Set bad entries aside");
  add_cache_gc(sub, context);
  add(sub, context, "clear", "Remove every entry", "", run_cache_clear);
  add_cache_extract(sub, context);
  add_cache_explain(sub, context);
}

}  // namespace barline::tools
