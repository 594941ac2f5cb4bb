// SPDX-License-Identifier: Apache-2.0
// `barline new`: what it writes fits the tree it is written to, and compiles.
#include <catch2/catch.hpp>

#include "tests/tools/cli.h"
#include "tools/registry_source.h"

using barline::test::Cli;
using barline::test::has;
using barline::test::Ran;
using barline::test::slurp;
namespace fs = std::filesystem;

namespace {

/// A folder that looks like barline's tree as far as `new` looks.
void make_tree(const Cli& cli) {
  fs::create_directories(cli.path("kernels/elementwise"));
  fs::create_directories(cli.path("tests/kernels"));
  for (const char* file : {"kernels/kernels.h", "kernels/register.cpp", "kernels.yaml"}) {
    fs::copy_file(std::string(BARLINE_SOURCE_DIR "/") + file, cli.path(file));
  }
}

bool compiles(const std::string& file) {
  std::string line = "c++ -std=c++20 -fsyntax-only -I" BARLINE_SOURCE_DIR " -I" BARLINE_SOURCE_DIR
                     "/tests/kernels " +
                     file;
  return std::system(line.c_str()) == 0;
}

}  // namespace

TEST_CASE("a kernel new in the tree has kernel, test, declaration, call and registry entry") {
  Cli cli;
  make_tree(cli);
  Ran r = cli.run("new scale_rows --registry kernels.yaml");
  INFO(r.out << r.err);
  REQUIRE(r.code == 0);
  CHECK(has(slurp(cli.path("kernels/kernels.h")), "void add_scale_rows(dsl::Registry& registry);"));
  CHECK(has(slurp(cli.path("kernels/register.cpp")), "  add_scale_rows(registry);\n}"));
  barline::verify::RegistryFile f = barline::tools::load_registry(cli.path("kernels.yaml")).file;
  REQUIRE(f.kernel("scale_rows"));
  CHECK(f.kernel("scale_rows")->schedules.at(0).name == "flat256");
  CHECK(has(slurp(cli.path("tests/kernels/scale_rows.cpp")), "TEST_CASE(\"scale_rows equals"));
}

TEST_CASE("new writes nothing when one of its files is there already") {
  Cli cli;
  make_tree(cli);
  cli.file("tests/kernels/scale_rows.cpp", "mine");
  std::string before = slurp(cli.path("kernels.yaml"));
  Ran r = cli.run("new scale_rows --registry kernels.yaml");
  CHECK(r.code == 2);
  CHECK(has(r.err, "is there already"));
  CHECK(slurp(cli.path("kernels.yaml")) == before);
  CHECK_FALSE(fs::exists(cli.path("kernels/elementwise/scale_rows.cpp")));
}

TEST_CASE("a project of its own has a build file, a plugin and a register") {
  Cli cli;
  Ran r = cli.run("new my_scale --project mine");
  INFO(r.out << r.err);
  REQUIRE(r.code == 0);
  CHECK(has(slurp(cli.path("mine/CMakeLists.txt")), "find_package(barline REQUIRED)"));
  CHECK(barline::tools::load_registry(cli.path("mine/kernels.yaml")).file.kernel("my_scale"));
  CHECK(cli.run("new my_scale --project mine").code == 2);
}

TEST_CASE("scaffolded sources compile") {
  Cli cli;
  make_tree(cli);
  REQUIRE(cli.run("new scale_rows --registry kernels.yaml").code == 0);
  REQUIRE(cli.run("new my_scale --project mine").code == 0);
  CHECK(compiles(cli.path("kernels/elementwise/scale_rows.cpp") + " -include " +
                 cli.path("kernels/kernels.h")));
  CHECK(compiles(cli.path("tests/kernels/scale_rows.cpp")));
  CHECK(compiles(cli.path("mine/my_scale.cpp")));
}
