// SPDX-License-Identifier: Apache-2.0
// kernels.yaml on disk: where the default one is, and the file as text, tree and register.
#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include "dsl/registry.h"
#include "verify/gate/registry_file.h"

namespace barline::tools {

struct RegistrySource {
  std::string path{};  ///< empty: there is no file
  std::string text{};
  verify::YamlNode tree{};
  verify::RegistryFile file{};
};

/// The kernels.yaml of the source tree that `program` was built in, or of its install; empty when
/// there is none.
std::string default_registry_path(const std::filesystem::path& program);

/// Reads and checks `path`. Throws FileError, UsageError or IoError.
RegistrySource load_registry(const std::string& path);

/// Checks every kernel, schedule and element type of `source` against the kernels that exist, and
/// adds, without budgets, each existing kernel that the file does not list and `add` accepts.
/// Throws NameError for one that does not exist.
void join_library(RegistrySource& source, const dsl::Registry& library,
                  const std::function<bool(const dsl::KernelEntry&)>& add);

}  // namespace barline::tools
