// SPDX-License-Identifier: Apache-2.0
// Known values, as NVIDIA's occupancy calculator gives them.
#include "codegen/occupancy.h"

#include <catch2/catch.hpp>

using namespace barline::codegen;

namespace {

struct Row {
  const char* target;
  KernelUse use;
  int blocks, warps;
  Limiter limiter;
};

}  // namespace

TEST_CASE("blocks and warps an SM") {
  const Row rows[] = {
      {"sm_80", {256, 32, 0}, 8, 64, Limiter::Warps},
      {"sm_80", {256, 64, 0}, 4, 32, Limiter::Registers},
      {"sm_80", {256, 65, 0}, 3, 24, Limiter::Registers},  // 65 registers cost 72
      {"sm_80", {256, 255, 0}, 1, 8, Limiter::Registers},
      {"sm_80", {224, 96, 0}, 2, 14, Limiter::Registers},  // 21 warps fit, but 5 a register file
      {"sm_80", {32, 16, 0}, 32, 32, Limiter::Blocks},
      {"sm_80", {128, 32, 48 * 1024}, 3, 12, Limiter::SharedMemory},
      {"sm_80", {128, 32, 163 * 1024}, 1, 4, Limiter::SharedMemory},
      {"sm_86", {128, 16, 0}, 12, 48, Limiter::Warps},
      {"sm_86", {32, 16, 0}, 16, 16, Limiter::Blocks},
      {"sm_89", {32, 16, 0}, 24, 24, Limiter::Blocks},
      {"sm_89", {256, 40, 33 * 1024}, 2, 16, Limiter::SharedMemory},
      {"sm_90a", {384, 168, 0}, 1, 12, Limiter::Registers},  // three warps a register file
      {"sm_90a", {1024, 64, 0}, 1, 32, Limiter::Registers},
      {"sm_90a", {128, 32, 227 * 1024}, 1, 4, Limiter::SharedMemory},
      {"sm_90", {1024, 32, 0}, 2, 64, Limiter::Warps},
      {"sm_120", {1024, 32, 0}, 1, 32, Limiter::Warps},
      {"sm_121", {33, 32, 0}, 24, 48, Limiter::Warps},  // 33 threads take two warps
  };
  for (const Row& row : rows) {
    INFO(row.target << " " << row.use.threads << " threads " << row.use.registers << " registers "
                    << row.use.smem << " bytes");
    auto limits = sm_limits(row.target);
    REQUIRE(limits);
    Occupancy got = occupancy(*limits, row.use);
    CHECK(got.blocks_per_sm == row.blocks);
    CHECK(got.warps_per_sm == row.warps);
    CHECK(limiter_name(got.limiter) == limiter_name(row.limiter));
    CHECK(got.fraction == Approx(static_cast<double>(row.warps) / limits->warps));
  }
}

TEST_CASE("a block beyond a limit does not fit") {
  SmLimits limits = *sm_limits("sm_86");
  for (KernelUse use : {KernelUse{1025, 16, 0},
                        {128, 256, 0},
                        {128, 32, 99 * 1024 + 1},
                        {1024, 72, 0},
                        {0, 16, 0},
                        {128, -1, 0}}) {
    INFO(use.threads << " " << use.registers << " " << use.smem);
    CHECK(occupancy(limits, use).blocks_per_sm == 0);
    CHECK(occupancy(limits, use).limiter == Limiter::DoesNotFit);
  }
}

TEST_CASE("targets are known by their number") {
  CHECK(sm_limits("sm_90a")->sm == 90);
  CHECK(sm_limits("sm_120f")->warps == 48);
  for (const char* target : {"sm_75", "sm_", "sm_80x", "90", "", "sm_99999999999"})
    CHECK_FALSE(sm_limits(target));
}
