// SPDX-License-Identifier: Apache-2.0
// What a host may set about the runtime. The one place that reads the environment; called by main
// and by the C ABI's init only, everything below takes the values.
#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "runtime/cache/options.h"
#include "runtime/driver/driver.h"

namespace barline::runtime {

enum class Jit {
  On,
  Off,  ///< a miss is an error that names the key
};
enum class AssemblerChoice { Auto, Ptxas, NvJitLink, Driver };

struct Options {
  CacheOptions cache{};
  driver::Options driver{};
  Jit jit = Jit::On;
  AssemblerChoice assembler = AssemblerChoice::Auto;
  std::filesystem::path ptxas{};               ///< absolute; empty: search
  std::filesystem::path cuda_home{};           ///< CUDA_HOME
  std::string path{};                          ///< PATH, for the last place a tool is looked for
  std::vector<std::filesystem::path> packs{};  ///< asked before the cache, in order
  bool strict_budget = false;  ///< refuse code over its register budget after a driver JIT
};

/// Defaults overridden by BARLINE_CACHE_DIR, XDG_CACHE_HOME, HOME, BARLINE_CACHE_MODE
/// (private|shared|off), BARLINE_CACHE_SEED (dir:dir), BARLINE_CACHE_MAX_BYTES,
/// BARLINE_CACHE_MAX_FILES, BARLINE_JIT
/// (on|off), BARLINE_PACK (file:file), BARLINE_ASSEMBLER (auto|ptxas|nvjitlink|driver),
/// BARLINE_PTXAS, CUDA_HOME, PATH, BARLINE_LIBCUDA, BARLINE_STRICT_BUDGET. Throws
/// std::invalid_argument that names variable, value and choices. Ignored in set-user-id programs.
Options options_from_environment();
inline CacheOptions cache_options_from_environment() { return options_from_environment().cache; }

}  // namespace barline::runtime
