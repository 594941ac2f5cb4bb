// SPDX-License-Identifier: Apache-2.0
// Sums in parts by warps that stream their operands to registers: the bits of the reference's parts
// added in order, for the schedules of few tokens and for tiles that fit nothing.
#include <algorithm>
#include <catch2/catch.hpp>
#include <stdexcept>

#include "ir/pipeline.h"
#include "kernels/matmul/schedules.h"
#include "problem.h"

using namespace barline;
using test::Problem;

namespace {

using kernels::registers_of;

void same_bits(const char* kernel, const ir::Schedule& schedule, test::Sizes sizes) {
  Problem p(kernel, ir::Elem::F16, schedule,
            test::rounded_up(kernel, ir::Elem::F16, schedule, sizes));
  test::Tensors whole = p.simulated(false), lowered = p.simulated(true);
  p.refer();
  INFO(p.config.label << " M " << sizes.at("M") << " K " << sizes.at("K"));
  CHECK(test::first_difference(whole, p.tensors) == "");
  CHECK(test::first_difference(lowered, p.tensors) == "");
}

/// Three warps over a step of 192, rows and tokens of two atoms, some operands in time, some late.
constexpr ir::Schedule odd(std::string_view name, int x, int w, int scale) {
  return {.name = name,
          .tile = {.m = 16, .n = 32, .k = 192},
          .dot = {.a = "w"},
          .splits = {{.axis = "K", .parts = 3, .merge = ir::Merge::Smem}},
          .streams = {registers_of("x", x), registers_of("w", w, true),
                      registers_of("w_scale", scale)}};
}

}  // namespace

TEST_CASE("register streams sum in parts as the reference does", "[kernels]") {
  for (const char* kernel : {"qkv_w4a16", "qkv_w8a16"})
    for (const ir::Schedule& s : test::entry(kernel).schedules) {
      if (!s.name.starts_with("stream") && !s.name.starts_with("next")) continue;
      for (std::int64_t m : {1, 7, 16, 17})
        for (std::int64_t k : {128, 1152})
          same_bits(kernel, s, {{"M", m}, {"K", k}, {"N_q", 104}, {"N_k", 24}, {"N_v", 16}});
    }
}

TEST_CASE("operands may be any number of steps ahead in registers", "[kernels]") {
  test::Sizes sizes{{"M", 19}, {"K", 1280}, {"N", 72}};
  same_bits("matmul_w4a16_g64", odd("apart", 1, 3, 2), sizes);
  same_bits("matmul_w4a16_g32", odd("level", 2, 2, 2), sizes);
  same_bits("matmul_w4a16_gk", odd("late", 3, 1, 1), sizes);
}

TEST_CASE("tokens of two atoms come by way of the warps' own part of a slot", "[kernels]") {
  auto lowered = [](std::string_view name) {
    for (const ir::Schedule& s : test::entry("qkv_w4a16").schedules)
      if (s.name == name) {
        ir::Kernel k =
            dsl::instantiate(test::entry("qkv_w4a16").make(ir::Elem::F16), {.schedule = s});
        ir::run_pipeline(k);
        return k;
      }
    throw std::out_of_range(std::string(name));
  };
  auto count = [](const ir::Kernel& k, auto&& is) {
    int n = 0;
    ir::walk(k.body, [&](const ir::Operation& op) { n += is(op); });
    return n;
  };
  auto pairs_loaded = [](const ir::Kernel& k) {
    return [&k](const ir::Operation& op) {
      return op.is(ir::Op::Load) && k.type(op.out[0]) == ir::vector(ir::Elem::F16, 2);
    };
  };
  auto matrices = [](const ir::Operation& op) { return op.is(ir::Op::LoadMatrix); };
  auto barriers = [](const ir::Operation& op) { return op.is(ir::Op::Barrier); };

  const ir::Kernel two = lowered("stream16x48"), one = lowered("stream8x48");
  CHECK(count(two, matrices) > 0);
  CHECK(count(two, pairs_loaded(two)) == 0);
  CHECK(count(two, barriers) == 1);  // the merge's
  CHECK(std::any_of(two.slots.begin(), two.slots.end(), [](const ir::Slot& s) {
    return s.name == "staged" && s.extent == 8 * 16 * 64;  // warps, tokens, a warp's step
  }));
  CHECK(count(one, matrices) == 0);
  CHECK(count(one, pairs_loaded(one)) > 0);
}
