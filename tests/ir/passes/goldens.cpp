// SPDX-License-Identifier: Apache-2.0
// tests/ir/passes/<pass>/<idea>.bir goes through that pass; what comes out stands in
// <idea>.out.bir, or, where the pass refuses the kernel, the diagnostic in <idea>.error. A line
// `// barriers: N` in the input is held against the barriers of the result.
#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>

#include "ir/check.h"
#include "ir/diagnostic.h"
#include "ir/extents.h"
#include "ir/parse.h"
#include "ir/passes/place_syncs.h"
#include "ir/pipeline.h"
#include "ir/print.h"
#include "tests/support/goldens.h"
#include "tests/support/run_random.h"

using namespace barline;
namespace fs = std::filesystem;

namespace {

const fs::path root = fs::path(BARLINE_SOURCE_DIR) / "tests/ir/passes";

/// Inputs of a pass' folder, in order.
std::vector<fs::path> inputs(std::string_view pass) {
  std::vector<fs::path> found;
  if (fs::exists(root / pass))
    for (const auto& entry : fs::directory_iterator(root / pass))
      if (entry.path().extension() == ".bir" && entry.path().stem().extension() != ".out")
        found.push_back(entry.path());
  std::sort(found.begin(), found.end());
  return found;
}

std::string beside(const fs::path& input, const char* ending) {
  return (input.parent_path() / input.stem()).string() + ending;
}

/// The N of `// barriers: N`, or -1.
int declared_barriers(const std::string& text) {
  auto at = text.find("// barriers: ");
  return at == std::string::npos ? -1 : std::stoi(text.substr(at + 13));
}

/// Before and after give the same bits on the simulator (from bind_order on, bits are defined).
std::string bits_kept(const ir::Kernel& before, const ir::Kernel& after, bool synced) {
  test::RandomKernel r{before, {}, 1000};
  for (const ir::Axis& a : before.axes)
    if (ir::is_dynamic(a)) r.axis_sizes.push_back(a.multiple * 37);
  test::RandomArguments args = test::random_arguments(r, 5);
  test::RandomRun want = test::simulate_random(before, r.axis_sizes, args, false);
  if (!want.finding.empty()) return "the input: " + want.finding;
  test::RandomRun got = test::simulate_random(after, r.axis_sizes, args, synced);
  if (before.timed) {  // samples are the last tensor, and no part of the kernel's result
    got.outputs.pop_back();
    want.outputs.pop_back();
  }
  return test::difference(got, want);
}

void golden(const ir::Pass& pass, const fs::path& input) {
  std::string text = test::read_file(input.string());
  std::string name = fs::relative(input, BARLINE_SOURCE_DIR).string();
  INFO(name);
  ir::Kernel before = ir::parse(text, name);
  ir::check(before);
  ir::Kernel after = before;
  try {
    pass.run(after);
  } catch (const ir::Error& e) {
    CHECK(test::golden_difference(beside(input, ".error"), std::string(e.what()) + "\n") == "");
    CHECK_FALSE(fs::exists(beside(input, ".out.bir")));
    return;
  }
  CHECK_NOTHROW(ir::check(after));
  CHECK(test::golden_difference(beside(input, ".out.bir"), ir::print(after)) == "");
  if (int n = declared_barriers(text); n >= 0) CHECK(ir::count_barriers(after) == n);
  if (pass.name != "bind_order") CHECK(bits_kept(before, after, pass.name == "place_syncs") == "");
}

}  // namespace

TEST_CASE("every pass has golden files and gives what they say", "[ir][golden]") {
  for (const ir::Pass& pass : ir::passes()) {
    INFO(pass.name);
    auto files = inputs(pass.name);
    CHECK_FALSE(files.empty());
    for (const fs::path& input : files) golden(pass, input);
  }
}

TEST_CASE("every golden has its input, and every folder its pass", "[ir][golden]") {
  std::map<std::string, int> names;
  for (const ir::Pass& pass : ir::passes()) names[std::string(pass.name)] = 1;
  for (const auto& entry : fs::recursive_directory_iterator(root)) {
    if (entry.is_directory()) CHECK(names.contains(entry.path().filename().string()));
    std::string file = entry.path().string();
    for (const char* ending : {".out.bir", ".error"})
      if (file.ends_with(ending))
        CHECK(fs::exists(file.substr(0, file.size() - std::string(ending).size()) + ".bir"));
  }
}

TEST_CASE("a golden that differs or is missing is told", "[ir][golden]") {
  if (std::getenv("BARLINE_UPDATE_GOLDENS")) return;
  std::string file = std::string(BARLINE_BINARY_DIR) + "/golden.txt";
  fs::remove(file);
  CHECK_THAT(test::golden_difference(file, "a\n"), Catch::Contains("BARLINE_UPDATE_GOLDENS=1"));
  std::ofstream(file) << "same\nold\n";
  std::string d = test::golden_difference(file, "same\nnew\n");
  CHECK_THAT(d,
             Catch::Contains("golden.txt:2:") && Catch::Contains("old") && Catch::Contains("new"));
  CHECK(test::golden_difference(file, "same\nold\n") == "");
}
