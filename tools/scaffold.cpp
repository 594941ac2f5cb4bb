// SPDX-License-Identifier: Apache-2.0
#include "tools/scaffold.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "tools/error.h"
#include "tools/file.h"
#include "tools/scaffold_text.h"
#include "tools/yaml_reader.h"
#include "verify/gate/yaml_merge.h"

namespace barline::tools {
namespace {

namespace fs = std::filesystem;
constexpr std::size_t max_source_bytes = 1 << 20;

std::string named(std::string_view text, const std::string& name) {
  std::string out(text);
  for (std::size_t at = out.find("NAME"); at != std::string::npos; at = out.find("NAME", at)) {
    out.replace(at, 4, name);
    at += name.size();
  }
  return out;
}

/// `text` with a line put in front of the last line that begins with `before`.
std::string insert_before(const std::string& path, const std::string& before,
                          const std::string& line) {
  std::string text = read_file(path, max_source_bytes);
  std::size_t at = text.rfind("\n" + before);
  if (at == std::string::npos) {
    throw UsageError(
        fmt::format("{}: no line begins with '{}'; add `{}` by hand", path, before, line));
  }
  return text.insert(at + 1, line + "\n");
}

}  // namespace

void check_new_name(const std::string& name) {
  static const std::vector<std::string> keywords = {
      "auto",   "bool",     "case",     "char",    "class",    "const",  "default",
      "delete", "do",       "double",   "else",    "enum",     "export", "extern",
      "float",  "for",      "if",       "inline",  "int",      "long",   "new",
      "not",    "operator", "or",       "private", "public",   "return", "short",
      "signed", "static",   "struct",   "switch",  "template", "this",   "throw",
      "try",    "union",    "unsigned", "using",   "void",     "while"};
  auto good = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; };
  bool letter = !name.empty() && name[0] >= 'a' && name[0] <= 'z';
  if (!letter || name.size() > 64 || !std::all_of(name.begin(), name.end(), good) ||
      std::find(keywords.begin(), keywords.end(), name) != keywords.end()) {
    throw UsageError(fmt::format(
        "'{}' cannot name a kernel; use lower-case letters, digits and _, a letter first", name));
  }
}

std::vector<NewFile> scaffold_in_tree(const std::string& root, const std::string& name,
                                      const RegistrySource& registry) {
  fs::path r(root);
  std::string header = (r / "kernels/kernels.h").string();
  std::string source = (r / "kernels/register.cpp").string();
  const verify::YamlNode* kernels = registry.tree.find("kernels");
  std::string yaml =
      verify::append_yaml(registry.text, *kernels, named(scaffold_text::registry_entry, name));
  verify::parse_registry(read_yaml(yaml, registry.path), registry.path);
  return {
      {(r / "kernels/elementwise" / (name + ".cpp")).string(),
       named(scaffold_text::tree_kernel, name)},
      {(r / "tests/kernels" / (name + ".cpp")).string(), named(scaffold_text::tree_test, name)},
      {header,
       insert_before(header, "}  // namespace barline::kernels",
                     fmt::format("void add_{}(dsl::Registry& registry);\n", name)),
       true},
      {source, insert_before(source, "}\n", fmt::format("  add_{}(registry);", name)), true},
      {registry.path, yaml, true},
  };
}

std::vector<NewFile> scaffold_project(const std::string& folder, const std::string& name,
                                      const std::string& assembler) {
  fs::path f(folder);
  std::string yaml =
      fmt::format(fmt::runtime(scaffold_text::project_registry), fmt::arg("assembler", assembler)) +
      named(scaffold_text::project_entry, name);
  return {{(f / "CMakeLists.txt").string(), named(scaffold_text::project_cmake, name)},
          {(f / (name + ".cpp")).string(), named(scaffold_text::project_kernel, name)},
          {(f / "kernels.yaml").string(), yaml},
          {(f / "README.md").string(), named(scaffold_text::project_readme, name)}};
}

void write_files(const std::vector<NewFile>& files) {
  std::error_code error;
  for (const NewFile& file : files) {
    if (!file.edits && fs::exists(file.path, error)) {
      throw UsageError(fmt::format("{} is there already; choose another name", file.path));
    }
  }
  std::vector<std::pair<std::string, std::string>> undo;  // path, old text of edited files
  std::vector<std::string> made;
  try {
    for (const NewFile& file : files) {
      if (file.edits) undo.emplace_back(file.path, read_file(file.path, max_source_bytes));
      if (!file.edits) made.push_back(file.path);
      write_file(file.path, file.text);
    }
  } catch (...) {
    for (const std::string& path : made) fs::remove(path, error);
    for (const auto& [path, text] : undo) write_file(path, text);
    throw;
  }
}

}  // namespace barline::tools
