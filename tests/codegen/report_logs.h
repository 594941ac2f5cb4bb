// SPDX-License-Identifier: Apache-2.0
// The logs beside the tests: what ptxas, nvJitLink and NVRTC of 13.0 print for real PTX on several
// targets, and the forms of older toolkits. Each is a golden and a seed of the fuzz test.
#pragma once

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "tests/support/goldens.h"

namespace barline::codegen::test::logs {

inline std::string folder() { return std::string(BARLINE_SOURCE_DIR) + "/tests/codegen/logs/"; }

/// "ptxas13.calls" and the like, sorted.
inline std::vector<std::string> names() {
  std::vector<std::string> names;
  for (const auto& file : std::filesystem::directory_iterator(folder()))
    if (file.path().extension() == ".txt") names.push_back(file.path().stem().string());
  std::ranges::sort(names);
  return names;
}

inline std::string text(const std::string& name) {
  return barline::test::read_file(folder() + name + ".txt");
}

}  // namespace barline::codegen::test::logs
