// SPDX-License-Identifier: Apache-2.0
// The library's kernels by other assemblers than ptxas: the same figures, the same bits.
#include <catch2/catch.hpp>
#include <cstdio>

#include "codegen/assembler/nvjitlink.h"
#include "codegen/compile.h"
#include "ir/pipeline.h"
#include "on_device.h"
#include "tests/support/ptxas.h"

using namespace barline;
using namespace barline::test;

namespace {

struct Row {
  const char *kernel, *schedule, *target;
  ir::Elem type;
};

/// Norms, tensor cores of both kinds, blocks that meet, a persistent kernel with roles.
constexpr Row rows[] = {{"rms_norm", "row256", "sm_80", ir::Elem::BF16},
                        {"rms_norm", "row256", "sm_90a", ir::Elem::BF16},
                        {"vector_add", "flat256", "sm_121", ir::Elem::F32},
                        {"softmax", "row256", "sm_86", ir::Elem::F32},
                        {"wo_nvfp4", "cta128_wo_split4", "sm_90a", ir::Elem::BF16}};

const ir::Schedule& schedule_of(const dsl::KernelEntry& e, std::string_view name) {
  for (const ir::Schedule& s : e.schedules)
    if (s.name == name) return s;
  return e.schedules.front();
}

/// nvJitLink assembles a unit to be linked, for which ptxas may choose other registers.
void like_ptxas(const dsl::KernelEntry& e, ir::Elem type, const ir::Schedule& s,
                const ir::Target& target, const codegen::Ptxas& ptxas,
                const codegen::NvJitLink& jit) {
  INFO(e.name << "@" << s.name << " on " << target.name);
  dsl::Config config{.schedule = s};
  if (s.name == "cta128_wo_split4") config.dims = {{"wo_split", 4}};
  ir::Kernel k = dsl::instantiate(e.make(type), config);
  ir::run_pipeline(k);
  const codegen::Compiled a = codegen::compile(k, target, ptxas);
  const codegen::Compiled b = codegen::compile(k, target, jit);
  CHECK(a.report.spill_stores == b.report.spill_stores);
  CHECK(a.report.spill_loads == b.report.spill_loads);
  CHECK(a.report.stack == b.report.stack);
  CHECK(a.report.smem_static == b.report.smem_static);
  CHECK(a.report.barriers == b.report.barriers);
  CHECK(b.disagreements.empty());
}

}  // namespace

TEST_CASE("nvJitLink gives the library's kernels what ptxas does, but for the number of registers",
          "[kernels][ptxas]") {
  const codegen::Ptxas ptxas = find_ptxas();
  try {
    const codegen::NvJitLink jit = codegen::NvJitLink::open({});
    for (const Row& r : rows) {
      const dsl::KernelEntry& e = entry(r.kernel);
      like_ptxas(e, r.type, schedule_of(e, r.schedule), *ir::find_target(r.target), ptxas, jit);
    }
    const dsl::KernelEntry& matmul = entry("matmul");
    const ir::Target& hopper = *ir::find_target("sm_90a");
    like_ptxas(matmul, ir::Elem::F16, matmul.schedules.front(), hopper, ptxas, jit);
    // Roles that move registers are left alone in a unit to be linked: refused, not slow.
    for (const ir::Schedule& s : matmul.schedules)
      if (s.roles.count != 0)
        CHECK_THROWS_WITH(like_ptxas(matmul, ir::Elem::F16, s, hopper, ptxas, jit),
                          Catch::Matchers::Contains("'setmaxnreg' ignored"));
  } catch (const codegen::MissingAssembler& e) {
    std::printf("SKIP: %s\n", e.what());
  }
}

TEST_CASE("nvJitLink and the driver make kernels of the reference's bits on a GPU",
          "[kernels][gpu]") {
  auto device = gpu();
  if (!device) return;
  for (const auto choice :
       {runtime::AssemblerChoice::NvJitLink, runtime::AssemblerChoice::Driver}) {
    runtime::Options options = runtime::options_from_environment();
    options.cache.mode = runtime::CacheMode::Off;
    options.assembler = choice;
    options.strict_budget = true;
    jit::Runtime runtime(options);
    for (const char* name : {"rms_norm", "softmax"}) {
      Problem p(name, ir::Elem::F32, entry(name).schedules.front(), {{"rows", 7}, {"d", 1024}});
      try {
        const Tensors got = on_device(p, ir::Elem::F32, runtime, *device);
        p.refer();
        CHECK(first_difference(got, p.tensors) == "");
      } catch (const codegen::MissingAssembler& e) {
        std::printf("SKIP: %s\n", e.what());
      }
    }
  }
}
