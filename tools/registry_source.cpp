// SPDX-License-Identifier: Apache-2.0
#include "tools/registry_source.h"

#include <fmt/format.h>

#include <algorithm>

#include "ir/target.h"
#include "tools/file.h"
#include "tools/yaml_reader.h"
#include "verify/gate/registry_keys.h"
#include "verify/gate/suggest.h"

namespace barline::tools {
namespace {

using Names = std::vector<std::string>;

Names names_of(const dsl::Registry& library) {
  Names out;
  for (const dsl::KernelEntry& e : library.entries()) out.push_back(e.name);
  return out;
}

Names schedules_of(const dsl::KernelEntry& entry) {
  Names out;
  for (const ir::Schedule& s : entry.schedules) out.emplace_back(s.name);
  return out;
}

Names types_of(const dsl::KernelEntry& entry) {
  Names out;
  for (ir::Elem e : entry.types) out.emplace_back(ir::name(e));
  return out;
}

/// Throws NameError at `at` when `name` is not in `known`.
void need(const std::string& file, verify::Mark at, std::string_view kind, const std::string& name,
          const Names& known) {
  if (std::find(known.begin(), known.end(), name) != known.end()) return;
  throw verify::NameError(file, at, fmt::format("there is no {} '{}'", kind, name),
                          verify::did_you_mean(name, known));
}

void check_kernel(const std::string& file, const verify::KernelEntry& k,
                  const dsl::KernelEntry& entry) {
  for (const verify::ScheduleEntry& s : k.schedules) {
    need(file, s.at, fmt::format("schedule of {}", k.name), s.name, schedules_of(entry));
  }
  if (k.compare.kind == verify::CompareKind::Bound && !entry.bound)
    throw verify::FileError(
        file, k.at,
        fmt::format("kernel {} declares no error bound, and is compared with it", k.name),
        "give the kernel a `bound`, or compare by ulp, abs or rel");
  for (const std::string& type : k.types) {
    need(file, k.at, fmt::format("element type of {}", k.name), type, types_of(entry));
  }
}

verify::KernelEntry unlisted(const dsl::KernelEntry& entry, const Names& targets) {
  verify::KernelEntry k;
  k.name = entry.name;
  k.types = types_of(entry);
  k.targets = targets;
  for (const std::string& name : schedules_of(entry)) {
    verify::ScheduleEntry s;
    s.name = name;
    s.types = k.types;
    s.targets = targets;
    k.schedules.push_back(std::move(s));
  }
  return k;
}

}  // namespace

std::string default_registry_path(const std::filesystem::path& program) {
  std::error_code error;
  auto dir = program.parent_path();  // <root>/build/<preset>/bin, or <prefix>/bin
  for (int level = 0; level < 4 && dir.has_relative_path(); ++level, dir = dir.parent_path()) {
    for (const char* place : {"kernels.yaml", "share/barline/kernels.yaml"}) {
      if (std::filesystem::is_regular_file(dir / place, error)) return (dir / place).string();
    }
  }
  return {};
}

RegistrySource load_registry(const std::string& path) {
  RegistrySource source;
  source.path = path;
  source.text = read_file(path, verify::max_registry_bytes);
  source.tree = read_yaml(source.text, path);
  source.file = verify::parse_registry(source.tree, path);
  return source;
}

void join_library(RegistrySource& source, const dsl::Registry& library,
                  const std::function<bool(const dsl::KernelEntry&)>& add) {
  verify::RegistryFile& file = source.file;
  if (file.targets.empty()) file.targets = verify::known_targets();
  for (const verify::KernelEntry& k : file.kernels) {
    need(source.path, k.at, "kernel", k.name, names_of(library));
    check_kernel(source.path, k, *library.find(k.name));
  }
  for (const verify::SourceEntry& s : file.sources) {
    if (library.find(s.name)) {
      throw verify::FileError(source.path, s.config.at,
                              fmt::format("kernel '{}' is one of the library's", s.name),
                              "give the file's kernel another name");
    }
  }
  for (const dsl::KernelEntry& entry : library.entries()) {
    if (!file.kernel(entry.name) && add(entry)) {
      file.kernels.push_back(unlisted(entry, file.targets));
    }
  }
}

}  // namespace barline::tools
