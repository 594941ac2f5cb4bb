// SPDX-License-Identifier: Apache-2.0
// parse(print(k)) == k, told by the text, which holds all of a kernel.
#include <algorithm>
#include <catch2/catch.hpp>
#include <string>
#include <thread>
#include <vector>

#include "ir/check.h"
#include "ir/diagnostic.h"
#include "ir/parse.h"
#include "ir/pipeline.h"
#include "ir/print.h"
#include "tests/support/run_random.h"

using namespace barline;

namespace {

/// What is wrong with the kernel of a seed, or nothing.
std::string round_trip_fault(std::uint64_t seed) {
  test::RandomKernel r = test::random_kernel(seed);
  std::string text = ir::print(r.kernel);
  try {
    ir::check(r.kernel);
    ir::Kernel back = ir::parse(text, "random.bir");
    ir::check(back);
    std::string again = ir::print(back);
    return again == text ? "" : "reads back as\n" + again + "\nnot\n" + text;
  } catch (const ir::Error& e) {
    return e.what() + ("\n" + text);
  }
}

}  // namespace

TEST_CASE("random kernels are valid, print, parse and print the same", "[fuzz]") {
  const std::uint64_t count = static_cast<std::uint64_t>(test::fuzz_count(10'000));
  const std::uint64_t workers = std::max(1u, std::thread::hardware_concurrency());
  std::vector<std::string> faults(workers);
  std::vector<std::thread> threads;
  for (std::uint64_t w = 0; w < workers; ++w)
    threads.emplace_back([&, w] {
      for (std::uint64_t seed = w; seed < count && faults[w].empty(); seed += workers)
        if (std::string f = round_trip_fault(seed); !f.empty())
          faults[w] = "seed " + std::to_string(seed) + ": " + f;
    });
  for (std::thread& t : threads) t.join();
  for (const std::string& f : faults) CHECK(f == "");
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
