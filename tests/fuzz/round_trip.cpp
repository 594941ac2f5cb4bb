// SPDX-License-Identifier: Apache-2.0
// parse(print(k)) == k, told by the text, which holds all of a kernel.
#include <catch2/catch.hpp>

#include "ir/check.h"
#include "ir/diagnostic.h"
#include "ir/parse.h"
#include "ir/pipeline.h"
#include "ir/print.h"
#include "tests/support/run_random.h"

using namespace barline;

TEST_CASE("random kernels are valid, print, parse and print the same", "[fuzz]") {
  for (std::uint64_t seed = 0; seed < static_cast<std::uint64_t>(test::fuzz_count(4000)); ++seed) {
    test::RandomKernel r = test::random_kernel(seed);
    std::string text = ir::print(r.kernel);
    std::string again;
    try {
      ir::check(r.kernel);
      ir::Kernel back = ir::parse(text, "random.bir");
      ir::check(back);
      again = ir::print(back);
    } catch (const ir::Error& e) {
      FAIL("seed " << seed << ": " << e.what() << "\n" << text);
    }
    if (again != text) FAIL("seed " << seed << " reads back as\n" << again << "\nnot\n" << text);
  }
  SUCCEED();
}

TEST_CASE("lowered random kernels and their locations round-trip too", "[fuzz]") {
  for (std::uint64_t seed = 0; seed < static_cast<std::uint64_t>(test::fuzz_count(300)); ++seed) {
    ir::Kernel k = test::random_kernel(seed).kernel;
    ir::run_pipeline(k);
    for (bool locations : {false, true}) {
      std::string text = ir::print(k, {.locations = locations});
      REQUIRE(ir::print(ir::parse(text, "random.bir"), {.locations = locations}) ==
              (locations ? ir::print(ir::parse(text, "random.bir"), {.locations = true}) : text));
      if (locations) REQUIRE(ir::print(ir::parse(text, "x.bir")) == ir::print(k));
    }
  }
}
