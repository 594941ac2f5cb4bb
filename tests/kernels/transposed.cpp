// SPDX-License-Identifier: Apache-2.0
// The second factor as the unit's A: the same sums, by the transposed product.
#include <catch2/catch.hpp>

#include "kernels/matmul/schedules.h"
#include "problem.h"

using namespace barline;
using test::Problem;

namespace {

using kernels::ring_of;

constexpr ir::Schedule swapped(std::string_view name, ir::MatrixTile tile, bool packed) {
  return {.name = name,
          .tile = tile,
          .dot = {.a = "w"},
          .streams = {ring_of("x", 2), ring_of("w", 2, packed)}};
}

void same_bits(const char* kernel, const ir::Schedule& schedule, test::Sizes sizes) {
  for (ir::Elem type : test::entry(kernel).types) {
    Problem p(kernel, type, schedule, test::rounded_up(kernel, type, schedule, sizes));
    test::Tensors whole = p.simulated(false), lowered = p.simulated(true);
    p.refer();
    INFO(p.config.label);
    CHECK(test::first_difference(whole, p.tensors) == "");
    CHECK(test::first_difference(lowered, p.tensors) == "");
  }
}

}  // namespace

TEST_CASE("weights as A, packed and in rows, give the reference's bits", "[kernels]") {
  constexpr ir::MatrixTile narrow{.m = 8, .n = 48, .k = 64, .warps_m = 1, .warps_n = 3};
  constexpr ir::MatrixTile wide{.m = 16, .n = 64, .k = 128, .warps_m = 2, .warps_n = 2};
  for (std::int64_t m : {1, 8, 21})
    for (const char* kernel : {"qkv_w4a16", "qkv_w8a16", "qkv_w8a16_columns"}) {
      test::Sizes sizes{{"M", m}, {"K", 384}, {"N_q", 72}, {"N_k", 24}, {"N_v", 16}};
      same_bits(kernel, swapped("narrow", narrow, true), sizes);
      same_bits(kernel, swapped("wide", wide, true), sizes);
      same_bits(kernel, swapped("portable", wide, false), sizes);
    }
  for (const char* kernel : {"matmul", "matmul_w8a8"})
    same_bits(kernel, swapped("narrow", narrow, false), {{"M", 13}, {"K", 160}, {"N", 136}});
}
