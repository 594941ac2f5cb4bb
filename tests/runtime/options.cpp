// SPDX-License-Identifier: Apache-2.0
// The environment as values, and what is said about values that make no sense.
#include "runtime/options.h"

#include <catch2/catch.hpp>
#include <cstdlib>
#include <map>
#include <optional>

using namespace barline::runtime;

namespace {

/// Sets variables and clears the others that options read, for a scope.
class Environment {
 public:
  explicit Environment(const std::map<std::string, std::string>& values) {
    for (const char* name :
         {"BARLINE_CACHE_DIR", "XDG_CACHE_HOME", "HOME", "BARLINE_CACHE_MODE", "BARLINE_CACHE_SEED",
          "BARLINE_PACK", "BARLINE_CACHE_MAX_BYTES", "BARLINE_CACHE_MAX_FILES", "BARLINE_JIT",
          "BARLINE_ASSEMBLER", "BARLINE_PTXAS", "CUDA_HOME", "BARLINE_LIBCUDA",
          "BARLINE_STRICT_BUDGET"}) {
      const char* old = std::getenv(name);
      saved_[name] = old != nullptr ? std::optional<std::string>(old) : std::nullopt;
      ::unsetenv(name);
    }
    for (const auto& [name, value] : values) ::setenv(name.c_str(), value.c_str(), 1);
  }
  ~Environment() {
    for (const auto& [name, value] : saved_) {
      if (value) {
        ::setenv(name.c_str(), value->c_str(), 1);
      } else {
        ::unsetenv(name.c_str());
      }
    }
  }

 private:
  std::map<std::string, std::optional<std::string>> saved_;
};

Options with(const std::map<std::string, std::string>& values) {
  Environment environment(values);
  return options_from_environment();
}

}  // namespace

TEST_CASE("the cache directory: its own variable, then XDG, then home, then none") {
  CHECK(with({{"BARLINE_CACHE_DIR", "/a"}, {"XDG_CACHE_HOME", "/b"}, {"HOME", "/c"}}).cache.dir ==
        "/a");
  CHECK(with({{"XDG_CACHE_HOME", "/b"}, {"HOME", "/c"}}).cache.dir == "/b/barline");
  CHECK(with({{"XDG_CACHE_HOME", "relative"}, {"HOME", "/c"}}).cache.dir == "/c/.cache/barline");
  CHECK(with({}).cache.dir.empty());
}

TEST_CASE("every choice is read") {
  const Options options = with({{"BARLINE_CACHE_MODE", "shared"},
                                {"BARLINE_CACHE_SEED", "/s1:/s2:"},
                                {"BARLINE_PACK", "/a.blp:/b.blp"},
                                {"BARLINE_CACHE_MAX_BYTES", "1000"},
                                {"BARLINE_CACHE_MAX_FILES", "20"},
                                {"BARLINE_JIT", "off"},
                                {"BARLINE_ASSEMBLER", "nvjitlink"},
                                {"BARLINE_PTXAS", "/opt/ptxas"},
                                {"CUDA_HOME", "/opt/cuda"},
                                {"BARLINE_LIBCUDA", "/opt/libcuda.so.1"},
                                {"BARLINE_STRICT_BUDGET", "1"}});
  CHECK(options.cache.mode == CacheMode::Shared);
  CHECK(options.packs == std::vector<std::filesystem::path>{"/a.blp", "/b.blp"});
  CHECK(options.cache.seeds == std::vector<std::filesystem::path>{"/s1", "/s2"});
  CHECK(options.cache.max_bytes == 1000);
  CHECK(options.cache.max_files == 20);
  CHECK(options.jit == Jit::Off);
  CHECK(options.assembler == AssemblerChoice::NvJitLink);
  CHECK(options.ptxas == "/opt/ptxas");
  CHECK(options.cuda_home == "/opt/cuda");
  CHECK(options.driver.libraries == std::vector<std::string>{"/opt/libcuda.so.1"});
  CHECK(options.strict_budget);
}

TEST_CASE("a value that makes no sense names variable, value and choices") {
  CHECK_THROWS_WITH(with({{"BARLINE_CACHE_MODE", "public"}}),
                    "BARLINE_CACHE_MODE='public': expected one of private, shared, off");
  CHECK_THROWS_WITH(with({{"BARLINE_JIT", "maybe"}}),
                    "BARLINE_JIT='maybe': expected one of on, off");
  CHECK_THROWS_WITH(with({{"BARLINE_CACHE_MAX_BYTES", "2G"}}),
                    "BARLINE_CACHE_MAX_BYTES='2G': expected a number");
  CHECK_THROWS_WITH(with({{"BARLINE_PTXAS", "ptxas"}}),
                    "BARLINE_PTXAS='ptxas': expected an absolute path");
}
