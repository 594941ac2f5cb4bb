// SPDX-License-Identifier: Apache-2.0
// The real ptxas: six targets, real refusals, identical bytes from two threads.
#include <catch2/catch.hpp>
#include <thread>

#include "codegen/assembler/ptxas.h"
#include "codegen/cubin/check.h"
#include "tests/codegen/assembler_fixture.h"
#include "tests/support/ptxas.h"

using namespace barline::codegen;
using barline::codegen::test::small_ptx;
using Catch::Matchers::Contains;

TEST_CASE("ptxas assembles for every target and both witnesses agree", "[ptxas]") {
  Ptxas ptxas = barline::test::find_ptxas();
  for (const char* sm : {"sm_80", "sm_86", "sm_89", "sm_90", "sm_120", "sm_121"}) {
    INFO(sm);
    Assembled out = ptxas.assemble(small_ptx, {.sm = sm});
    PtxasLog log = parse_ptxas_log(out.log);
    CHECK(log.unknown.empty());
    const ResourceReport& report = log.kernel("k");
    CHECK(report.target == sm);
    CHECK(report.smem_static == 512);
    CHECK(report.barriers == 1);
    Cubin cubin = Cubin::parse(out.cubin);
    CHECK(check_against(report, cubin.kernel("k")).empty());
    CHECK(cubin.kernel("k").max_threads == std::vector<int>{128, 1, 1});
  }
}

TEST_CASE("a real refusal quotes the line", "[ptxas]") {
  std::string bad = small_ptx;
  bad.replace(bad.find("bar.sync 0"), 10, "bar.sink 0");
  CHECK_THROWS_WITH(barline::test::find_ptxas().assemble(bad, {.sm = "sm_80"}),
                    Contains("| bar.sink 0;"));
  CHECK_THROWS_WITH(barline::test::find_ptxas().assemble(small_ptx, {.sm = "sm_33"}),
                    Contains("sm_33"));
}

TEST_CASE("two threads get the same bytes", "[ptxas]") {
  Ptxas ptxas = barline::test::find_ptxas();
  std::vector<std::byte> first[2], last[2];
  auto work = [&](int t) {
    for (int i = 0; i < 5; ++i) {
      last[t] = ptxas.assemble(small_ptx, {.sm = "sm_90", .lineinfo = true}).cubin;
      if (i == 0) first[t] = last[t];
    }
  };
  std::thread other(work, 1);
  work(0);
  other.join();
  CHECK(first[0] == last[0]);
  CHECK(first[0] == first[1]);
  CHECK(first[0] == last[1]);
}

TEST_CASE("version of the real program", "[ptxas]") {
  Ptxas ptxas = barline::test::find_ptxas();
  CHECK_THAT(ptxas.version(), Contains("release ") && Contains("; Build "));
  CHECK_THAT(ptxas.release(), Catch::Matchers::StartsWith("ptxas "));
}
