// SPDX-License-Identifier: Apache-2.0
// The shape of the source tree: which folder may include which, who may name LLVM and the driver,
// how long files are, and what each begins with.
#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace fs = std::filesystem;

namespace {

/// What a folder may include, besides itself and the system. The most specific row counts.
const std::map<std::string, std::set<std::string>> may_include = {
    {"ir", {"runtime/regions"}},
    {"formats", {"ir"}},
    {"dsl", {"ir"}},
    {"codegen", {"ir", "runtime"}},
    {"runtime", {"runtime/driver", "runtime/regions"}},
    {"runtime/driver", {}},
    {"runtime/regions", {}},
    {"runtime/jit",
     {"ir", "dsl", "codegen", "verify", "runtime", "runtime/driver", "runtime/regions"}},
    {"verify", {"ir", "codegen"}},
    {"kernels", {"dsl", "formats", "ir"}},
    {"tools",
     {"ir", "formats", "dsl", "codegen", "verify", "runtime", "runtime/driver", "runtime/jit",
      "runtime/regions", "kernels"}},
};

constexpr int longest = 600;  ///< lines of a file; tables (*.def) may be longer

struct Source {
  std::string path;  ///< from the root of the tree
  std::vector<std::string> lines;
};

bool is_source(const fs::path& p) {
  static const std::set<std::string> kinds = {".cpp", ".h", ".c", ".def"};
  return kinds.contains(p.extension().string());
}

std::vector<Source> read_tree() {
  const fs::path root = BARLINE_SOURCE_DIR;
  std::vector<Source> all;
  for (const char* top : {"ir", "formats", "dsl", "codegen", "runtime", "verify", "kernels",
                          "tools", "tests", "examples", "bench"}) {
    if (!fs::exists(root / top)) continue;
    for (const auto& entry : fs::recursive_directory_iterator(root / top)) {
      if (!entry.is_regular_file() || !is_source(entry.path())) continue;
      Source s{fs::relative(entry.path(), root).string(), {}};
      std::ifstream in(entry.path());
      for (std::string line; std::getline(in, line);) s.lines.push_back(line);
      all.push_back(std::move(s));
    }
  }
  return all;
}

const std::vector<Source>& tree() {
  static const std::vector<Source> all = read_tree();
  return all;
}

/// The folder of the table that a path belongs to, or nothing.
std::string folder_of(const std::string& path) {
  std::string best;
  for (const auto& [folder, allowed] : may_include)
    if (path.starts_with(folder + "/") && folder.size() > best.size()) best = folder;
  return best;
}

/// The path of a line `#include "path"`, or nothing.
std::string included(const std::string& line) {
  static const std::regex include(R"(^\s*#\s*include\s+"([^"]+)\")");
  std::smatch m;
  return std::regex_search(line, m, include) ? m[1].str() : "";
}

/// What is wrong with one include, or nothing.
std::string fault(const std::string& file, const std::string& path) {
  std::string from = folder_of(file), to = folder_of(path);
  if (from.empty() || to.empty() || from == to) return "";
  if (may_include.at(from).contains(to)) return "";
  return file + " includes " + path + ": " + from + " may not include " + to;
}

/// The line without its comment and its strings.
std::string code_of(const std::string& line) {
  static const std::regex strings(R"("([^"\\]|\\.)*")");
  std::string text = std::regex_replace(line, strings, "\"\"");
  return text.substr(0, text.find("//"));
}

/// Lines of the tree, outside tests, whose code matches and whose file is not in `home`.
std::vector<std::string> found(const std::regex& what, const std::string& home) {
  std::vector<std::string> out;
  for (const Source& s : tree()) {
    if (s.path.starts_with(home + "/") || s.path.starts_with("tests/") ||
        s.path.starts_with("bench/"))
      continue;
    for (std::size_t i = 0; i < s.lines.size(); ++i)
      if (std::regex_search(code_of(s.lines[i]), what))
        out.push_back(s.path + ":" + std::to_string(i + 1) + ": " + s.lines[i]);
  }
  return out;
}

const std::regex names_llvm(
    R"(\bllvm::|<llvm/)");  // the C function of <llvm-c/blake3.h> is no LLVM
const std::regex names_driver(R"(\bcu[A-Z][A-Za-z0-9]*\s*\(|<cuda\.h>)");

}  // namespace

TEST_CASE("folders include only what their arrow allows", "[tree]") {
  REQUIRE(tree().size() > 100);
  int includes = 0;
  for (const Source& s : tree())
    for (const std::string& line : s.lines) {
      std::string path = included(line);
      if (path.empty()) continue;
      ++includes;
      CHECK(fault(s.path, path) == "");
    }
  CHECK(includes > 300);
}

TEST_CASE("a forbidden include is found", "[tree]") {
  CHECK(fault("ir/check.cpp", "dsl/value.h") != "");
  CHECK(fault("dsl/value.cpp", "codegen/ptx.h") != "");
  CHECK(fault("runtime/cache/store.cpp", "ir/kernel.h") != "");
  CHECK(fault("runtime/driver/launch.cpp", "runtime/options.h") != "");
  CHECK(fault("kernels/norm/softmax.cpp", "verify/compare.h") != "");
  CHECK(fault("codegen/ptx.cpp", "ir/kernel.h") == "");
  CHECK(fault("runtime/jit/unit.cpp", "dsl/kernel.h") == "");
  CHECK(included("#include \"ir/type.h\"") == "ir/type.h");
  CHECK(included("  #  include \"a.h\" // why") == "a.h");
  CHECK(included("#include <vector>") == "");
}

TEST_CASE("includes name files of the tree from its root", "[tree]") {
  const fs::path root = BARLINE_SOURCE_DIR;
  for (const Source& s : tree()) {
    bool generates = s.path == "tools/scaffold_text.h";  // holds the text of files
    if (s.path.starts_with("examples/") || s.path.starts_with("tests/") || generates) continue;
    for (const std::string& line : s.lines) {
      std::string path = included(line);
      if (path.empty() || path.starts_with("barline_codegen_id")) continue;
      INFO(s.path << ": " << line);
      CHECK(fs::exists(root / path));
    }
  }
}

TEST_CASE("only codegen names LLVM, only the driver folder names cu functions", "[tree]") {
  CHECK(found(names_llvm, "codegen") == std::vector<std::string>{});
  for (const std::string& line : found(names_driver, "runtime/driver")) {
    // What a launch adds to the driver's own call is measured against that call.
    if (!line.starts_with("tools/host_figures.cpp:")) FAIL_CHECK(line);
  }
  CHECK(std::regex_search(code_of("llvm::Value* v;"), names_llvm));
  CHECK(std::regex_search(code_of("#include <llvm/IR/Value.h>"), names_llvm));
  CHECK(std::regex_search(code_of("  cuLaunchKernel(f);"), names_driver));
  CHECK_FALSE(std::regex_search(code_of("// above cuLaunchKernel (a comment)"), names_driver));
}

TEST_CASE("files are short enough to read", "[tree]") {
  std::vector<std::size_t> lengths;
  for (const Source& s : tree()) {
    if (s.path.ends_with(".def")) continue;
    INFO(s.path);
    CHECK(s.lines.size() <= longest);
    lengths.push_back(s.lines.size());
  }
  std::sort(lengths.begin(), lengths.end());
  CHECK(lengths[lengths.size() / 2] < 200);
  CHECK(lengths[lengths.size() * 9 / 10] < 400);
}

TEST_CASE("files begin with their licence and what they are for", "[tree]") {
  for (const Source& s : tree()) {
    INFO(s.path);
    REQUIRE(s.lines.size() > 1);
    CHECK(s.lines[0].find("SPDX-License-Identifier: Apache-2.0") != std::string::npos);
    bool header = s.path.ends_with(".h");
    if (!header) continue;
    CHECK((s.lines[1].starts_with("//") || s.lines[1].starts_with("/*") ||
           s.lines[1].starts_with(" *")));
    bool once = std::find(s.lines.begin(), s.lines.end(), "#pragma once") != s.lines.end();
    CHECK(once);
  }
}

TEST_CASE("a pass is a header under 30 lines and a source under 400", "[tree]") {
  int passes = 0;
  for (const Source& s : tree()) {
    if (!s.path.starts_with("ir/passes/")) continue;
    INFO(s.path);
    CHECK(s.lines.size() <= 400);
    if (s.path.ends_with("_p.h") || !s.path.ends_with(".h")) continue;
    CHECK(s.lines.size() < 30);
    ++passes;
  }
  CHECK(passes >= 7);
}
