// SPDX-License-Identifier: Apache-2.0
// Calibration against the real ptxas, and skeletons of real kernels whose shape is known.
#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <thread>

#include "codegen/sass/skeleton.h"
#include "tests/codegen/assembler_fixture.h"
#include "tests/support/ptxas.h"

using namespace barline::codegen;
using namespace barline::codegen::test;

namespace {

const char* const targets[] = {"sm_80", "sm_86", "sm_89", "sm_90", "sm_90a", "sm_120", "sm_121"};

std::string kernel(std::string_view target, std::string_view body) {
  return fmt::format(
      ".version 8.8\n.target {}\n.address_size 64\n.visible .entry k(.param .u64 p, .param .u32 "
      "n)\n"
      ".maxntid 128, 1, 1\n{{\n.reg .b64 %rd<4>; .reg .b32 %r<16>; .reg .f32 %f<8>;\n"
      ".shared .align 16 .b8 s[2048]; .local .align 4 .b8 l[256];\n"
      "ld.param.u64 %rd1, [p]; cvta.to.global.u64 %rd1, %rd1; mov.u32 %r1, %tid.x;\n"
      "mul.wide.u32 %rd2, %r1, 16; add.u64 %rd1, %rd1, %rd2; shl.b32 %r2, %r1, 4;\n"
      "mov.u32 %r3, s; add.u32 %r2, %r2, %r3;\n{}\nret;\n}}\n",
      target, body);
}

SassSkeleton assemble(CalibrationCache& cache, const Ptxas& ptxas, const std::string& sm,
                      std::string_view body) {
  Assembled out = ptxas.assemble(kernel(sm, body), {.sm = sm});
  return skeleton(out.cubin, "k", cache.get(sm));
}

constexpr std::string_view staged =
    "ld.volatile.global.u32 %r4, [%rd1]; ld.volatile.global.u32 %r5, [%rd1+4096];"
    "st.volatile.shared.u32 [%r2], %r4; bar.sync 0; ld.volatile.shared.u32 %r6, [%r2+16];"
    "ld.volatile.global.u32 %r7, [%rd1+8192]; add.u32 %r6, %r6, %r7; add.u32 %r6, %r6, %r5;"
    "bar.sync 1; st.volatile.global.u32 [%rd1], %r6; st.volatile.global.u32 [%rd1+512], %r6;";

constexpr std::string_view spilled =
    "mov.u32 %r4, l; add.u32 %r4, %r4, %r2; st.local.u32 [%r4], %r1; st.local.u32 [%r4+64], %r2;"
    "ld.param.u32 %r5, [n]; add.u32 %r4, %r4, %r5; ld.local.u32 %r6, [%r4];"
    "st.global.u32 [%rd1], %r6;";

constexpr std::string_view waits =
    "ld.volatile.global.u32 %r4, [%rd1]; ld.volatile.global.u32 %r5, [%rd1+4096];"
    "griddepcontrol.wait; ld.volatile.global.u32 %r6, [%rd1+8192]; add.u32 %r6, %r6, %r4;"
    "add.u32 %r6, %r6, %r5; st.global.u32 [%rd1], %r6;";

constexpr std::string_view matrix =
    "ld.global.v4.u32 {%r4,%r5,%r6,%r7}, [%rd1]; ld.global.v2.u32 {%r8,%r9}, [%rd1+8192];"
    "mov.f32 %f0, 0f00000000; mov.f32 %f1, %f0; mov.f32 %f2, %f0; mov.f32 %f3, %f0;"
    "mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%f0,%f1,%f2,%f3}, {%r4,%r5,%r6,%r7},"
    "{%r8,%r9}, {%f0,%f1,%f2,%f3};"
    "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%f0,%f1,%f2,%f3}, {%r4,%r5,%r6,%r7},"
    "{%r8,%r9}, {%f0,%f1,%f2,%f3};"
    "st.global.v4.f32 [%rd1], {%f0,%f1,%f2,%f3};";

}  // namespace

TEST_CASE("every kind has an operation of its own on each target", "[ptxas]") {
  Ptxas ptxas = barline::test::find_ptxas();
  CalibrationCache cache(ptxas);
  for (const char* sm : targets) {
    INFO(sm);
    const Calibration& c = cache.get(sm);
    bool hopper = std::string_view(sm) > "sm_89" || std::string_view(sm).starts_with("sm_12");
    for (int i = 1; i < sass_op_count; ++i) {
      SassOp op = static_cast<SassOp>(i);
      bool since_90 = op == SassOp::GridWait || op == SassOp::GridLaunch ||
                      op == SassOp::Mbarrier || op == SassOp::BulkCopy;
      INFO(sass_op_name(op));
      CHECK(c.has(op) == (op == SassOp::Hgmma ? sm == std::string_view("sm_90a")
                          : since_90          ? hopper
                                              : true));
    }
    CHECK(&cache.get(sm) == &c);
  }
}

TEST_CASE("skeletons of known kernels", "[ptxas]") {
  Ptxas ptxas = barline::test::find_ptxas();
  CalibrationCache cache(ptxas);
  for (const char* sm : targets) {
    INFO(sm);
    SassSkeleton s = assemble(cache, ptxas, sm, staged);
    CHECK(s.bars == 2);
    CHECK(s.global_loads == 3);
    CHECK(s.global_stores == 2);
    CHECK(s.shared_loads == 1);
    CHECK(s.shared_stores == 1);
    CHECK(s.loads_before_barrier == 2);
    CHECK(s.local_loads == 0);
    CHECK(s.count(SassOp::Exit) == 1);

    SassSkeleton local = assemble(cache, ptxas, sm, spilled);
    CHECK(local.local_stores == 2);
    CHECK(local.local_loads == 1);

    SassSkeleton mma = assemble(cache, ptxas, sm, matrix);
    CHECK(mma.mmas == 2);
    CHECK(mma.count(SassOp::Hmma) == 2);
    CHECK(mma.loads_before_mma == 2);
    CHECK(mma.movs_per_mma == Approx(0.0));
    if (!cache.get(sm).has(SassOp::GridWait)) continue;
    SassSkeleton wait = assemble(cache, ptxas, sm, waits);
    CHECK(wait.loads_before_wait == 2);
    CHECK(wait.global_loads == 3);
  }
}

TEST_CASE("threads share one calibration a target", "[ptxas]") {
  CalibrationCache cache(barline::test::find_ptxas());
  const Calibration* seen[4] = {};
  std::vector<std::thread> threads;
  for (auto& slot : seen) threads.emplace_back([&cache, &slot] { slot = &cache.get("sm_80"); });
  for (std::thread& thread : threads) thread.join();
  for (const Calibration* other : seen) CHECK(other == seen[0]);
}
