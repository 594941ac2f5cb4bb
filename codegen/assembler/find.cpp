// SPDX-License-Identifier: Apache-2.0
// Finds ptxas. A program that another user could have put in place is refused: whoever can replace
// the assembler decides what the GPU runs.
#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>
#include <vector>

#include "codegen/assembler/ptxas.h"
#include "codegen/assembler/trusted_p.h"

namespace barline::codegen {
namespace {

namespace fs = std::filesystem;

constexpr const char* how_to_get =
    "how to get one: install the CUDA toolkit's cuda-nvcc package, or `pip install "
    "nvidia-cuda-nvcc` (its wheel carries bin/ptxas); then pass --ptxas FILE or set CUDA_HOME";

// Empty when the file can be run.
std::string not_runnable(const std::string& path) {
  if (std::string why = why_no_file(path); !why.empty()) return why;
  return access(path.c_str(), X_OK) == 0 ? "" : "it may not be executed";
}

// Empty when `directory`/ptxas may be used.
std::string refusal(const std::string& directory) {
  if (std::string why = why_not_trusted(directory, "ptxas"); !why.empty()) return why;
  return not_runnable(directory + "/ptxas");
}

std::vector<std::string> split_path(const std::string& path_env) {
  std::vector<std::string> elements;
  std::size_t begin = 0;
  while (begin <= path_env.size() && !path_env.empty()) {
    std::size_t end = std::min(path_env.find(':', begin), path_env.size());
    elements.push_back(path_env.substr(begin, end - begin));
    begin = end + 1;
  }
  return elements;
}

Ptxas find_explicit(const std::string& given) {
  std::error_code error;
  std::string path = fs::absolute(given, error).lexically_normal().string();
  if (std::string why = not_runnable(path); !why.empty())
    throw MissingPtxas(fmt::format("cannot use {} as ptxas: {}\n{}", path, why, how_to_get));
  return Ptxas::at(path);
}

}  // namespace

Ptxas Ptxas::find(const FindOptions& options) {
  if (!options.explicit_path.empty()) return find_explicit(options.explicit_path);

  std::vector<std::string> directories;
  if (!options.cuda_home.empty()) directories.push_back(options.cuda_home + "/bin");
  directories.push_back(options.toolkit + "/bin");
  if (options.allow_path)
    for (std::string& element : split_path(options.path_env))
      directories.push_back(std::move(element));

  std::string looked;
  for (const std::string& directory : directories) {
    std::string why = refusal(directory);
    if (why.empty()) return at(fs::path(directory + "/ptxas").lexically_normal().string());
    looked += fmt::format("  {}/ptxas: {}\n", directory, why);
  }
  throw MissingPtxas(fmt::format("no usable ptxas; looked at\n{}{}", looked, how_to_get));
}

}  // namespace barline::codegen
