// SPDX-License-Identifier: Apache-2.0
// What the runtime library shows and needs: each function of barline.h under its version, nothing
// of LLVM, no driver to link.
#include <dlfcn.h>

#include <catch2/catch.hpp>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>
#include <string>

#include "runtime/abi/barline.h"

namespace {

std::string slurp(const std::string& path) {
  std::ifstream in(std::string(BARLINE_SOURCE_DIR "/") + path);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// The first group of every match.
std::set<std::string> all(const std::string& text, const std::string& pattern) {
  const std::regex what(pattern);
  std::set<std::string> out;
  for (auto at = std::sregex_iterator(text.begin(), text.end(), what); at != std::sregex_iterator();
       ++at)
    out.insert((*at)[1].str());
  return out;
}

/// What a command prints; empty where there is no such command.
std::string output(const std::string& command) {
  std::FILE* pipe = ::popen((command + " 2>/dev/null").c_str(), "r");
  REQUIRE(pipe != nullptr);
  std::string out;
  char buffer[4096];
  while (const std::size_t n = std::fread(buffer, 1, sizeof buffer, pipe)) out.append(buffer, n);
  ::pclose(pipe);
  return out;
}

const std::string library = BARLINE_BINARY_DIR "/lib/libbarline_runtime.so";

}  // namespace

TEST_CASE("the functions of barline.h are those of the version script, and each has its version") {
  const auto declared =
      all(slurp("runtime/abi/barline.h"), R"(BARLINE_API [^;(]*?(barline_\w+)\()");
  const auto listed = all(slurp("cmake/runtime_symbols.map"), R"(\n\s+(barline_\w+);)");
  CHECK(declared.size() >= 14);
  CHECK(declared == listed);
  void* runtime = ::dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL);
  REQUIRE(runtime != nullptr);
  for (const std::string& name : declared) {
    CAPTURE(name);
    CHECK(::dlvsym(runtime, name.c_str(), "BARLINE_1") != nullptr);
  }
  CHECK(::dlvsym(runtime, "barline_prepare", "BARLINE_2") == nullptr);
}

TEST_CASE("the runtime library has nothing of LLVM and needs no driver") {
  const std::string symbols = output("nm -DC --defined-only " + library);
  const std::string needed = output("readelf -d " + library);
  if (symbols.empty() || needed.empty()) {
    std::puts("SKIP: no binutils");
    return;
  }
  CHECK_THAT(symbols, Catch::Contains("barline_prepare"));
  CHECK_FALSE(std::regex_search(symbols, std::regex(R"(\bllvm::|\bLLVM|\bllvm_)")));
  CHECK_THAT(needed, Catch::Contains("(NEEDED)"));
  CHECK_THAT(needed, !Catch::Contains("libcuda") && !Catch::Contains("LLVM"));
}
