// SPDX-License-Identifier: Apache-2.0
#include "tools/git_head.h"

#include <fstream>

namespace barline::tools {
namespace {

namespace fs = std::filesystem;

std::string first_line(const fs::path& file) {
  std::ifstream in(file);
  std::string line;
  std::getline(in, line);
  return line;
}

/// A branch has a file of its own, or a line "<hash> <name>" of packed-refs.
std::string resolve(const fs::path& git, const std::string& branch) {
  if (std::string hash = first_line(git / branch); !hash.empty()) return hash;
  std::ifstream in(git / "packed-refs");
  for (std::string line; std::getline(in, line);)
    if (line.ends_with(" " + branch)) return line.substr(0, line.find(' '));
  return {};
}

}  // namespace

std::string git_head(fs::path from) {
  std::error_code error;
  for (from = fs::absolute(from, error); !from.empty(); from = from.parent_path()) {
    if (fs::is_directory(from / ".git", error)) {
      const std::string head = first_line(from / ".git" / "HEAD"), ref = "ref: ";
      return head.starts_with(ref) ? resolve(from / ".git", head.substr(ref.size())) : head;
    }
    if (from == from.parent_path()) break;
  }
  return {};
}

}  // namespace barline::tools
