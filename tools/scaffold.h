// SPDX-License-Identifier: Apache-2.0
// The files of a new kernel: in barline's own tree, or as a project that is loaded as a plugin.
// Nothing is written here; the text is the product.
#pragma once

#include <string>
#include <vector>

#include "tools/registry_source.h"

namespace barline::tools {

struct NewFile {
  std::string path;
  std::string text;
  bool edits = false;  ///< replaces a file that exists
};

/// Throws UsageError unless `name` can name a kernel: lower-case letters, digits and _, a letter
/// first, no C++ keyword.
void check_new_name(const std::string& name);

/// The four files of a kernel in the tree at `root`: kernels/elementwise/NAME.cpp, its test, and
/// the edits of kernels.h, register.cpp and kernels.yaml. Throws UsageError or IoError.
std::vector<NewFile> scaffold_in_tree(const std::string& root, const std::string& name,
                                      const RegistrySource& registry);

/// A project in `folder`: CMakeLists.txt, NAME.cpp, kernels.yaml, README.md.
std::vector<NewFile> scaffold_project(const std::string& folder, const std::string& name,
                                      const std::string& assembler);

/// Writes them all, or none: what was made is taken back when one cannot be written. Throws
/// UsageError when a new file is there already.
void write_files(const std::vector<NewFile>& files);

}  // namespace barline::tools
