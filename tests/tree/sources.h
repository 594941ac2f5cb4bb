// SPDX-License-Identifier: Apache-2.0
// The source tree as the tests of this folder read it.
#pragma once

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

namespace barline::test {

namespace fs = std::filesystem;

inline fs::path root() { return BARLINE_SOURCE_DIR; }

struct Source {
  std::string path;  ///< relative to the root: "ir/type.h"
  std::vector<std::string> lines;
};

inline std::string slurp(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

inline std::vector<std::string> split_lines(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    std::size_t end = std::min(text.find('\n'), text.size());
    lines.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

/// C++ sources below the folders, in order of path.
inline std::vector<Source> sources(const std::vector<std::string>& folders) {
  std::vector<Source> out;
  for (const std::string& folder : folders) {
    if (!fs::exists(root() / folder)) continue;
    for (const auto& e : fs::recursive_directory_iterator(root() / folder)) {
      fs::path ext = e.path().extension();
      if (ext != ".h" && ext != ".cpp" && ext != ".def") continue;
      out.push_back({fs::relative(e.path(), root()).string(), split_lines(slurp(e.path()))});
    }
  }
  std::sort(out.begin(), out.end(), [](auto& a, auto& b) { return a.path < b.path; });
  return out;
}

/// True where goldens are to be rewritten instead of compared.
inline bool updating() { return std::getenv("BARLINE_UPDATE_GOLDENS") != nullptr; }

/// Empty if the file below the root holds the text (or was rewritten to), else what to do about it.
inline std::string differs(const std::string& path, const std::string& text) {
  if (slurp(root() / path) == text) return {};
  if (updating()) {
    std::ofstream(root() / path, std::ios::binary) << text;
    return {};
  }
  return path + " is out of date; run scripts/update_docs and review the difference";
}

}  // namespace barline::test
