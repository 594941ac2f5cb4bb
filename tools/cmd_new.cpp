// SPDX-License-Identifier: Apache-2.0
// `barline new NAME`: scaffolds a kernel, its reference, its registry entry and its test.
#include <fmt/format.h>

#include <filesystem>

#include "runtime/jit/runtime.h"
#include "tools/command_line.h"
#include "tools/commands.h"
#include "tools/error.h"
#include "tools/scaffold.h"
#include "tools/session.h"

namespace barline::tools {
namespace {

namespace fs = std::filesystem;

ExitCode run_new(const Context& context, const std::string& name, const std::string& project) {
  check_new_name(name);
  Session session(context);
  if (session.library().find(name)) {
    throw UsageError(fmt::format("there is a kernel '{}' already; choose another name", name));
  }
  std::vector<NewFile> files;
  const RegistrySource& registry = session.source();
  fs::path root = fs::path(registry.path).parent_path();
  std::error_code error;
  if (!project.empty()) {
    fs::create_directory(project, error);
    files = scaffold_project(project, name, std::string(jit::pinned_assembler));
  } else if (fs::exists(root / "kernels/register.cpp", error)) {
    files = scaffold_in_tree(root.string(), name, registry);
  } else {
    throw UsageError(
        "kernels.yaml stands in no source tree of barline; pass --project DIR for a "
        "project of its own");
  }
  write_files(files);
  auto rows = nlohmann::ordered_json::array();
  std::string out;
  for (const NewFile& file : files) {
    rows.push_back({{"path", file.path}, {"edited", file.edits}});
    out += fmt::format("{} {}\n", file.edits ? "edited " : "created", file.path);
  }
  if (context.json) {
    print_json("new", {{"kernel", name}, {"files", rows}});
  } else {
    print_out(out);
    context.say(
        fmt::format("next: build, then `barline run {0} --device sim` and `barline gate "
                    "{0} --update`",
                    name));
  }
  return ExitCode::Ok;
}

}  // namespace

void add_new(CLI::App& app, Context& context) {
  CLI::App& sub =
      add_command(app, "new", "Scaffold a kernel, its reference, registry entry and test",
                  "barline new scale_rows");
  auto name = std::make_shared<std::string>(), project = std::make_shared<std::string>();
  sub.add_option("name", *name, "The kernel's name, as in scale_rows")->required();
  sub.add_option("--project", *project, "A folder for a project outside barline's tree")
      ->type_name("DIR");
  sub.callback([&context, name, project] {
    context.action = [&context, name, project] { return run_new(context, *name, *project); };
  });
}

}  // namespace barline::tools
