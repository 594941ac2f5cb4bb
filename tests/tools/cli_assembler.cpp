// SPDX-License-Identifier: Apache-2.0
// --assembler: another assembler compiles, its code is never taken for ptxas's, and the pinned gate
// refuses it.
#include <catch2/catch.hpp>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "codegen/assembler/nvjitlink.h"
#include "tests/tools/cli.h"

using namespace barline::test;

TEST_CASE("budgets are measured with ptxas alone") {
  Cli cli;
  for (const char* words : {"gate vector_add.f32", "demo vector_add.f32"}) {
    Ran r = cli.run(std::string("--assembler nvjitlink ") + words);
    INFO(words << r.out << r.err);
    CHECK(r.code == 2);
    CHECK(has(r.err, "budgets are pinned to ptxas"));
    CHECK(has(r.err, "leave the option and BARLINE_ASSEMBLER out"));
  }
  CHECK(cli.run("gate vector_add.f32", "BARLINE_ASSEMBLER=driver").code == 2);
  Ran wrong = cli.run("--assembler nvcc list");
  CHECK(wrong.code == 2);
  CHECK(has(wrong.err, "auto,ptxas,nvjitlink,driver"));
}

TEST_CASE("where the named assembler is missing, exit 3 says how to get it") {
  Cli cli;
  Ran jit = cli.run("--assembler nvjitlink build vector_add.f32 --arch sm_80 -o .",
                    "BARLINE_NVJITLINK=/absent/libnvJitLink.so");
  CHECK(jit.code == 3);
  CHECK(has(jit.err, "cannot use /absent/libnvJitLink.so as nvJitLink: there is no such file"));
  Ran driver = cli.run("--assembler driver build vector_add.f32 --arch sm_80 -o .",
                       "BARLINE_LIBCUDA=/absent/libcuda.so");
  CHECK(driver.code == 3);
  CHECK(has(driver.err, "driver: no CUDA driver: /absent/libcuda.so"));
}

TEST_CASE("nvJitLink's code stands under keys of its own", "[ptxas]") {
  try {
    barline::codegen::NvJitLink::open({});
  } catch (const barline::codegen::MissingAssembler& e) {
    std::printf("SKIP: %s\n", e.what());
    return;
  }
  Cli cli;
  auto build = [&](const char* assembler) {
    Ran r = cli.run(std::string("--json --assembler ") + assembler +
                    " build vector_add.f32 --arch sm_80 -o out_dir");
    INFO(r.err);
    REQUIRE(r.code == 0);
    return nlohmann::json::parse(r.out);
  };
  const auto by_ptxas = build("auto"), by_jit = build("nvjitlink"), again = build("nvjitlink");
  CHECK(by_ptxas["assembler"] == "ptxas 13.0");
  CHECK(by_jit["assembler"].get<std::string>().starts_with("nvJitLink 1"));
  CHECK(by_jit["results"][0]["cache"] == "miss");
  CHECK(again["results"][0]["cache"] == "hit");
  CHECK(by_jit["results"][0]["registers"] == by_ptxas["results"][0]["registers"]);
  CHECK(build("ptxas")["results"][0]["cache"] == "hit");
}
