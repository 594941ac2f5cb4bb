// SPDX-License-Identifier: Apache-2.0
// Where ptxas is looked for, what is refused, and what the message says when there is none.
#include <catch2/catch.hpp>

#include "codegen/assembler/ptxas.h"
#include "tests/codegen/assembler_fixture.h"

using namespace barline::codegen;
using barline::codegen::test::TempDir;
using Catch::Matchers::Contains;

namespace {

// Nothing of this machine is looked at.
FindOptions nowhere(const TempDir& dir) { return {.toolkit = dir.path("no_toolkit")}; }

std::string refusal(const FindOptions& options) {
  try {
    Ptxas::find(options);
  } catch (const MissingPtxas& error) {
    return error.what();
  }
  return "found";
}

}  // namespace

TEST_CASE("ptxas is looked for in a fixed order") {
  TempDir dir;
  std::string by_hand = dir.script("hand/my_ptxas", "true");
  std::string home = dir.script("home/bin/ptxas", "true");
  std::string toolkit = dir.script("toolkit/bin/ptxas", "true");
  std::string on_path = dir.script("somewhere/ptxas", "true");
  FindOptions all{.explicit_path = by_hand,
                  .cuda_home = dir.path("home"),
                  .path_env = dir.path("empty") + ":" + dir.path("somewhere"),
                  .allow_path = true,
                  .toolkit = dir.path("toolkit")};
  CHECK(Ptxas::find(all).path() == by_hand);
  all.explicit_path.clear();
  CHECK(Ptxas::find(all).path() == home);
  all.cuda_home.clear();
  CHECK(Ptxas::find(all).path() == toolkit);
  all.toolkit = dir.path("none");
  CHECK(Ptxas::find(all).path() == on_path);
  all.allow_path = false;
  CHECK_THROWS_AS(Ptxas::find(all), MissingPtxas);
}

TEST_CASE("a missing ptxas names the places and how to get one") {
  TempDir dir;
  FindOptions options = nowhere(dir);
  options.cuda_home = dir.path("home");
  std::string text = refusal(options);
  CHECK_THAT(text, Contains(dir.path("home/bin/ptxas") + ": there is no such file"));
  CHECK_THAT(text, Contains(dir.path("no_toolkit/bin/ptxas")));
  CHECK_THAT(text, Contains("--ptxas") && Contains("pip install"));
}

TEST_CASE("a named ptxas that cannot run is an error, not a reason to look elsewhere") {
  TempDir dir;
  FindOptions options{.explicit_path = dir.path("absent")};
  CHECK_THAT(refusal(options), Contains(dir.path("absent")) && Contains("there is no such file"));
  std::ofstream(dir.path("plain")) << "text";
  options.explicit_path = dir.path("plain");
  CHECK_THAT(refusal(options), Contains("may not be executed"));
  options.explicit_path = dir.path();
  CHECK_THAT(refusal(options), Contains("not a regular file"));
}

TEST_CASE("a ptxas that others can replace is refused") {
  TempDir dir;
  std::string program = dir.script("bin/ptxas", "true");
  FindOptions options = nowhere(dir);
  options.allow_path = true;
  options.path_env = dir.path("bin");
  CHECK(refusal(options) == "found");
  chmod(dir.path("bin").c_str(), 0777);
  CHECK_THAT(refusal(options), Contains("writable by every user"));
  chmod(dir.path("bin").c_str(), 0755);
  chmod(program.c_str(), 0777);
  CHECK_THAT(refusal(options), Contains("writable by every user"));
  options.path_env = "bin::./x";
  CHECK_THAT(refusal(options), Contains("not an absolute path"));
}

TEST_CASE("version and release are read from the program once") {
  TempDir dir;
  std::string program = dir.script(
      "ptxas", "echo x >> " + dir.path("asked") +
                   "; echo 'Cuda compilation tools, release 12.4, V12.4.99'; echo 'Build abc'");
  Ptxas ptxas = Ptxas::at(program);
  CHECK(ptxas.version() == "Cuda compilation tools, release 12.4, V12.4.99; Build abc");
  CHECK(ptxas.release() == "ptxas 12.4");
  CHECK(Ptxas(ptxas).release() == "ptxas 12.4");
  CHECK(std::filesystem::file_size(dir.path("asked")) == 2);
}

TEST_CASE("a program that is not ptxas is told by its version") {
  TempDir dir;
  Ptxas ptxas = Ptxas::at(dir.script("ptxas", "echo hello"));
  CHECK_THROWS_WITH(ptxas.version(), Contains("does not answer --version") && Contains("hello"));
  CHECK_THROWS_AS(Ptxas::at("ptxas"), MissingPtxas);
}
