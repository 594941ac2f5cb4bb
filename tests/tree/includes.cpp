// SPDX-License-Identifier: Apache-2.0
// The direction of dependencies and the house rules that a grep can see.
#include <catch2/catch.hpp>
#include <map>
#include <regex>
#include <set>

#include "tests/tree/sources.h"

using namespace barline::test;

namespace {

using Names = std::set<std::string>;

// What each folder may include, itself aside. `runtime` is the folder without driver and jit.
const std::map<std::string, Names> allowed = {
    {"ir", {}},
    {"dsl", {"ir"}},
    {"codegen", {"ir", "runtime"}},
    {"verify", {"ir", "codegen"}},
    {"runtime/driver", {}},
    {"runtime", {"runtime/driver"}},
    {"runtime/jit", {"ir", "dsl", "codegen", "verify", "runtime", "runtime/driver"}},
    {"kernels", {"ir", "dsl"}},
};

const std::vector<std::string> library = {"ir", "dsl", "codegen", "verify", "runtime", "kernels"};
const std::vector<std::string> everything = {"ir",      "dsl",   "codegen", "verify",   "runtime",
                                             "kernels", "tools", "bench",   "examples", "tests"};

std::string folder_of(const std::string& path) {
  for (const char* own : {"runtime/driver", "runtime/jit"})
    if (path.rfind(std::string(own) + "/", 0) == 0) return own;
  return path.substr(0, path.find('/'));
}

/// Complaints of one source about its includes.
std::vector<std::string> wrong_includes(const Source& source) {
  static const std::regex include(R"re(^\s*#\s*include\s+"([^"]+)")re");
  std::vector<std::string> out;
  std::string from = folder_of(source.path);
  for (const std::string& line : source.lines) {
    std::smatch m;
    if (!std::regex_search(line, m, include)) continue;
    std::string to = folder_of(m[1]);
    if (to == from || !allowed.contains(to) || allowed.at(from).contains(to)) continue;
    out.push_back(source.path + " includes " + m[1].str() + ": " + from + " may not know " + to);
  }
  return out;
}

/// Sources that have a match outside of the folder that may.
std::vector<std::string> outside(const std::regex& what, const std::string& folder) {
  std::vector<std::string> out;
  for (const Source& source : sources(library)) {
    if (folder_of(source.path) == folder) continue;
    for (std::size_t i = 0; i < source.lines.size(); ++i)
      if (std::regex_search(source.lines[i].substr(0, source.lines[i].find("//")), what))
        out.push_back(source.path + ":" + std::to_string(i + 1) + ": " + source.lines[i]);
  }
  return out;
}

}  // namespace

TEST_CASE("includes follow the direction of dependencies") {
  std::vector<std::string> wrong;
  for (const Source& source : sources(library))
    for (std::string& w : wrong_includes(source)) wrong.push_back(std::move(w));
  CAPTURE(wrong);
  CHECK(wrong.empty());
}

TEST_CASE("an include against the direction is seen") {
  Source source{"ir/type.cpp",
                {"#include <map>", "  # include \"dsl/value.h\"", "#include \"ir/op.h\""}};
  REQUIRE(wrong_includes(source).size() == 1);
  CHECK(wrong_includes(source)[0] == "ir/type.cpp includes dsl/value.h: ir may not know dsl");
  CHECK(wrong_includes({"runtime/cache/key.h", {"#include \"runtime/jit/unit.h\""}}).size() == 1);
  CHECK(wrong_includes({"runtime/jit/unit.h", {"#include \"runtime/cache/key.h\""}}).empty());
}

TEST_CASE("only codegen names LLVM, only the driver folder names the driver's functions") {
  std::vector<std::string> llvm = outside(std::regex(R"(\bllvm::|include [<"]llvm/)"), "codegen");
  // BLAKE3 is plain C with names of LLVM's.
  llvm.erase(
      std::remove_if(llvm.begin(), llvm.end(), [](auto& s) { return s.find("blake3") != s.npos; }),
      llvm.end());
  CAPTURE(llvm);
  CHECK(llvm.empty());
  auto driver = outside(std::regex(R"(\bcu[A-Z][A-Za-z0-9]+\()"), "runtime/driver");
  CAPTURE(driver);
  CHECK(driver.empty());
}

TEST_CASE("the environment is read where a program begins") {
  const Names may = {"runtime/options.cpp", "tools/main.cpp"};
  std::vector<std::string> found;
  for (const Source& source :
       sources({"ir", "dsl", "codegen", "verify", "runtime", "kernels", "tools"}))
    for (const std::string& line : source.lines)
      if (line.find("getenv(") != line.npos && !may.contains(source.path))
        found.push_back(source.path);
  CAPTURE(found);
  CHECK(found.empty());
}

TEST_CASE("every source says its licence and what it is for, and is not too long") {
  constexpr std::size_t cap = 600;
  std::vector<std::string> wrong;
  for (const Source& source : sources(everything)) {
    bool table = source.path.ends_with(".def");
    if (source.lines.empty() || source.lines[0] != "// SPDX-License-Identifier: Apache-2.0")
      wrong.push_back(source.path + ": no SPDX line");
    if (source.path.ends_with(".h") &&
        std::find(source.lines.begin(), source.lines.end(), "#pragma once") == source.lines.end())
      wrong.push_back(source.path + ": no #pragma once");
    if (!table && source.lines.size() > cap)
      wrong.push_back(source.path + ": " + std::to_string(source.lines.size()) +
                      " lines, the cap is " + std::to_string(cap));
  }
  CAPTURE(wrong);
  CHECK(wrong.empty());
}
