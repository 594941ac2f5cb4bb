// SPDX-License-Identifier: Apache-2.0
// Runs the `barline` program of this build in a folder of its own, as a user would.
#pragma once

#include <sys/wait.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "tests/support/temp_dir.h"

namespace barline::test {

inline std::string slurp(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

inline void spill(const std::string& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
}

struct Ran {
  int code = -1;
  std::string out, err;
};

/// A temporary folder with a cubin cache in it.
class Cli {
 public:
  std::string path(const std::string& name) const { return (dir_.path() / name).string(); }
  /// Writes a file of the folder; its path.
  std::string file(const std::string& name, const std::string& text) const {
    spill(path(name), text);
    return path(name);
  }
  /// Runs `barline` with these words (a shell line); `environment` stands in front.
  Ran run(const std::string& words, const std::string& environment = {},
          const std::string& out = "out") const {
    std::string line = "cd " + dir_.path().string() + " && BARLINE_CACHE_DIR=" + path("cache") +
                       " " + environment + " " BARLINE_BINARY_DIR "/bin/barline " + words + " >" +
                       out + " 2>err </dev/null";
    int status = std::system(line.c_str());
    return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, slurp(path("out")), slurp(path("err"))};
  }

 private:
  TempDir dir_;
};

inline bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace barline::test
