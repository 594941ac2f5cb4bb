// SPDX-License-Identifier: Apache-2.0
// What a host may set about the runtime. The one place that reads the environment; called by main
// and by the C ABI's init only, everything below takes the values.
#pragma once
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/cache/options.h"
#include "runtime/driver/driver.h"

namespace barline::runtime {

enum class Jit {
  On,
  Off,  ///< a miss is an error that names the key
};
/// Auto: the first that the machine has.
enum class AssemblerChoice { Auto, Ptxas, NvJitLink, Driver };
/// "auto", "ptxas", "nvjitlink" or "driver".
std::optional<AssemblerChoice> parse_assembler(std::string_view text);

struct Options {
  CacheOptions cache{};
  driver::Options driver{};
  Jit jit = Jit::On;
  AssemblerChoice assembler = AssemblerChoice::Auto;
  std::filesystem::path ptxas{};                     ///< absolute; empty: search
  std::filesystem::path nvjitlink{};                 ///< the library, absolute; empty: search
  std::filesystem::path cuda_home{};                 ///< CUDA_HOME
  std::filesystem::path toolkit{"/usr/local/cuda"};  ///< looked into after cuda_home
  std::string path{};                          ///< PATH, for the last place a tool is looked for
  std::vector<std::filesystem::path> packs{};  ///< asked before the cache, in order
  /// Libraries of kernels that a Host compiles from; none: it compiles nothing.
  std::vector<std::filesystem::path> kernels{};
  bool strict_budget = false;  ///< refuse code over its register budget after a driver JIT
};

/// Defaults overridden by BARLINE_CACHE_DIR, XDG_CACHE_HOME, HOME, BARLINE_CACHE_MODE
/// (private|shared|off), BARLINE_CACHE_SEED (dir:dir), BARLINE_CACHE_MAX_BYTES,
/// BARLINE_CACHE_MAX_FILES, BARLINE_JIT
/// (on|off), BARLINE_PACK (file:file), BARLINE_ASSEMBLER (auto|ptxas|nvjitlink|driver),
/// BARLINE_PTXAS, BARLINE_NVJITLINK, CUDA_HOME, PATH, BARLINE_LIBCUDA, BARLINE_STRICT_BUDGET.
/// Throws std::invalid_argument that names variable, value and choices. Ignored in set-user-id
/// programs.
Options options_from_environment();
/// "file:file" as paths; empty ones are left out.
std::vector<std::filesystem::path> split_paths(std::string text);
inline CacheOptions cache_options_from_environment() { return options_from_environment().cache; }

}  // namespace barline::runtime
