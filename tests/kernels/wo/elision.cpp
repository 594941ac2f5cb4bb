// SPDX-License-Identifier: Apache-2.0
// What of the meeting stands in the PTX. With one part a head nobody waits for x: neither flag nor
// spin is left, and no split writes a fence. The election of the heads' last block is two atomics.
#include <catch2/catch.hpp>
#include <regex>

#include "codegen/ptx.h"
#include "ir/target.h"
#include "wo_problem.h"

using namespace barline;
using namespace barline::test;

namespace {

std::string ptx_of(const char* name, std::int64_t split) {
  return codegen::emit_ptx(lowered(wo_problem(name, {.split = split})), *ir::find_target("sm_90a"));
}

std::ptrdiff_t count(const std::string& text, const char* pattern) {
  const std::regex r(pattern);
  return std::distance(std::sregex_iterator(text.begin(), text.end(), r), std::sregex_iterator());
}

}  // namespace

TEST_CASE("with one part a head nothing of the wait for x is compiled", "[kernels][wo]") {
  for (std::int64_t split : {1, 2, 4, 8}) {
    const std::string ptx = ptx_of("wo_nvfp4_producer", split);
    INFO("split " << split);
    CHECK(count(ptx, "ld\\.acquire") == (split > 1));
    CHECK(count(ptx, "st\\.release") == (split > 1));
    CHECK(count(ptx, "fence|membar") == 0);
    CHECK(count(ptx, "atom\\.acq_rel\\.gpu\\.global\\.add\\.u64") == 1);
    CHECK(count(ptx, "red\\.relaxed\\.gpu\\.global\\.max\\.u64") == 1);
    CHECK(count(ptx, "\\b(atom|red)\\.") == 2);
  }
}

TEST_CASE("without a producer no split compiles a wait", "[kernels][wo]") {
  for (const char* name : {"wo_nvfp4", "wo_nvfp4_swizzled", "wo_nvfp4_parallel_gather"})
    for (std::int64_t split : {1, 8}) {
      const std::string ptx = ptx_of(name, split);
      CHECK(count(ptx, "ld\\.acquire|st\\.release|fence|membar") == 0);
      CHECK(count(ptx, "\\b(atom|red)\\.") == 2);
      CHECK(count(ptx, "bar\\.sync") == 2);
    }
}

TEST_CASE("products and sums of a chain stay apart", "[kernels][wo]") {
  CHECK(count(ptx_of("wo_nvfp4", 4), "fma\\.|mad\\.rn\\.f") == 0);
}
