// SPDX-License-Identifier: Apache-2.0
// A schedule leaves the bits alone: Design S, S + 1/2P and rings of one text agree, and a run gives
// the same bits however its warps take turns.
#include <algorithm>
#include <catch2/catch.hpp>
#include <optional>

#include "ir/pipeline.h"
#include "problem.h"

using namespace barline;
using test::Problem;
using test::Sizes;
using test::Tensors;

namespace {

/// The results in kernels of the schedules of which `takes` holds, all fed the same bits.
void schedules_agree(const std::string& kernel, const Sizes& sizes,
                     const std::function<bool(const ir::Schedule&)>& takes) {
  for (ir::Elem type : test::entry(kernel).types) {
    std::optional<Problem> first;
    Tensors want;
    int compared = 0;
    for (const ir::Schedule& s : test::entry(kernel).schedules) {
      if (!takes(s)) continue;
      Problem p(kernel, type, s, sizes);
      if (!first) {
        want = p.simulated(true);
        first.emplace(std::move(p));
        continue;
      }
      p.tensors = first->tensors;
      INFO(p.config.label << " against " << first->config.label);
      CHECK(test::first_difference(p.simulated(true), want) == "");
      ++compared;
    }
    CHECK(compared > 0);
  }
}

bool packs(const ir::Schedule& s) {
  return std::any_of(s.streams.begin(), s.streams.end(),
                     [](const ir::Stream& stream) { return stream.packed; });
}

/// One chain a sum: no parts of it that are added.
bool one_chain(const ir::Schedule& s) { return s.splits.count == 0; }

}  // namespace

TEST_CASE("Design S and S + 1/2P give the same bits", "[kernels]") {
  auto portable = [](const ir::Schedule& s) { return !packs(s); };
  for (const char* kernel : {"qkv_w4a16", "qkv_w8a16", "qkv_w8a16_columns"})
    for (std::int64_t m : {1, 40, 65})
      schedules_agree(kernel, {{"M", m}, {"K", 384}, {"N_q", 40}, {"N_k", 9}, {"N_v", 16}},
                      portable);
}

TEST_CASE("rings of any depth and tile give the same bits", "[kernels]") {
  for (const char* kernel : {"qkv_w4a16", "qkv_w8a16"})
    schedules_agree(kernel, {{"M", 33}, {"K", 256}, {"N_q", 72}, {"N_k", 24}, {"N_v", 16}},
                    [](const ir::Schedule& s) { return packs(s) && one_chain(s); });
  schedules_agree("matmul", {{"M", 33}, {"K", 200}, {"N", 136}}, one_chain);
}

// The big tiles of schedules in roles take as long as many small ones: fewer of their orders.
TEST_CASE("a product gives the same bits a hundred times, in any order of warps", "[kernels]") {
  for (const ir::Schedule& s : test::entry("qkv_w4a16").schedules) {
    Problem p("qkv_w4a16", ir::Elem::F16, s,
              {{"M", 17}, {"K", 256}, {"N_q", 24}, {"N_k", 8}, {"N_v", 8}});
    ir::Kernel k = dsl::instantiate(p.source, p.config);
    ir::run_pipeline(k);
    const Tensors want = p.run(k, {});
    const std::uint64_t runs = s.roles.count > 0 ? 4 : s.splits.count > 0 ? 20 : 100;
    for (std::uint64_t i = 0; i < runs; ++i) {
      Tensors got = p.run(k, {.order = verify::WarpOrder::Random,
                              .seed = i,
                              .cores = 1 + static_cast<int>(i % 3),
                              .detect_races = i % 10 == 0});
      if (std::string d = test::first_difference(got, want); !d.empty())
        FAIL(p.config.label << " run " << i << ": " << d);
    }
  }
  SUCCEED();
}
