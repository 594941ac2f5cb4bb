// SPDX-License-Identifier: Apache-2.0
// The declared order of reductions, spelled out: folds of strings show who was added to whom.
#include <catch2/catch.hpp>
#include <string>

#include "kernels/reference/ordered.h"

using namespace barline;
namespace reference = kernels::reference;

namespace {

std::string add(const std::string& a, const std::string& b) {
  if (a.empty() || b.empty()) return a + b;  // the identity
  return "(" + a + b + ")";
}
std::string letter(std::int64_t i) { return std::string(1, static_cast<char>('a' + i)); }

}  // namespace

TEST_CASE("a thread folds its elements by chain, then the chains pairwise", "[kernels]") {
  ir::StripeShape s{.vec = 4, .threads = 2, .chunks = 2};
  // Thread 0 holds abcd and, one chunk on, ijkl; thread 1 efgh and mn.
  CHECK(reference::fold_thread(s, 14, 0, std::string(), letter, add) == "(((ai)(bj))((ck)(dl)))");
  CHECK(reference::fold_thread(s, 14, 1, std::string(), letter, add) == "(((em)(fn))(gh))");
}

TEST_CASE("an odd chain or warp is carried over", "[kernels]") {
  std::string v[] = {"a", "b", "c", "d", "e"};
  CHECK(ir::fold_pairwise(v, 5, add) == "(((ab)(cd))e)");
}

TEST_CASE("a block folds lanes as a butterfly and warps pairwise", "[kernels]") {
  std::vector<std::string> one(96);
  for (int w = 0; w < 3; ++w) {
    one[w * 32 + 0] = letter(4 * w);
    one[w * 32 + 1] = letter(4 * w + 1);
    one[w * 32 + 16] = letter(4 * w + 2);
    one[w * 32 + 17] = letter(4 * w + 3);
  }
  CHECK(reference::fold_block(one, add) == "((((ac)(bd))((eg)(fh)))((ik)(jl)))");
}

TEST_CASE("a row's stripe follows from the schedule and the bound axis", "[kernels]") {
  dsl::Config config{.schedule = {.name = "s", .threads = 64, .vec = 8}};
  dsl::Axis d{"d"};
  CHECK(reference::row_stripe(config, d).vec == 8);  // whether d allows it is asked at run time
  CHECK(reference::row_stripe(config, d).chunks == 0);
  config.dims["d"] = 1000;
  CHECK(reference::row_stripe(config, d).vec == 8);
  CHECK(reference::row_stripe(config, d).chunks == 2);
  config.dims["d"] = 1001;
  CHECK(reference::row_stripe(config, d).vec == 1);
}
