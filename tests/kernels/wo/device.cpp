// SPDX-License-Identifier: Apache-2.0
// wo_nvfp4 on a GPU: the bits of its split's reference in each of fifty launches on a workspace
// that is zeroed once. Skipped without one.
#include <fmt/format.h>
#include <catch2/catch.hpp>

#include "tests/kernels/on_device.h"
#include "wo_problem.h"

using namespace barline;
using namespace barline::test;

namespace {

void agree_for_launches(jit::Runtime& runtime, const driver::Device& device, Problem p,
                        int launches) {
  DeviceRun kernel(p, ir::Elem::BF16, runtime, device);
  INFO(p.kernel->name << " B " << p.sizes.at("B") << " split " << p.sizes.at("wo_split") << " of "
                      << p.sizes.at("slice_ctas") << " global scale "
                      << p.scalars.at("global_scale"));
  for (int launch = 1; launch <= launches; ++launch) {
    const Tensors got = launch == 1 ? kernel.run() : kernel.again();
    p.refer();  // counts the launch as the kernel does
    for (const char* name : {"y", "partial", "launches", "counters"})
      REQUIRE(got.at(name).data == p.tensors.at(name).data);
  }
}

}  // namespace

TEST_CASE("wo_nvfp4 has the reference's bits in every launch on a GPU", "[kernels][wo][gpu]") {
  auto device = gpu();
  if (!device) return;
  jit::Runtime runtime(runtime::options_from_environment());
  for (const char* name :
       {"wo_nvfp4", "wo_nvfp4_swizzled", "wo_nvfp4_producer", "wo_nvfp4_parallel_gather"})
    for (std::int64_t split : {1, 2, 4, 8})
      for (float global : {1.0f, 0.0123f})
        agree_for_launches(runtime, *device, wo_problem(name, {.n = 260, .split = split}, global),
                           50);
}

TEST_CASE("wo_nvfp4 has the reference's bits at the layer's size on a GPU", "[kernels][wo][gpu]") {
  auto device = gpu();
  if (!device) return;
  jit::Runtime runtime(runtime::options_from_environment());
  for (const char* name : {"wo_nvfp4", "wo_nvfp4_swizzled", "wo_nvfp4_parallel_gather"})
    for (std::int64_t split : {1, 2, 4, 8})
      for (std::int64_t batch : {1, 16})
        agree_for_launches(runtime, *device,
                           wo_problem(name, {.batch = batch, .n = 5120, .k = 6144, .split = split}),
                           2);
}

TEST_CASE("chains have their reference's bits on a GPU", "[kernels][wo][gpu]") {
  auto device = gpu();
  if (!device) return;
  jit::Runtime runtime(runtime::options_from_environment());
  for (const char* name : {"wo_nvfp4_chains", "wo_nvfp4_fused"})
    for (const ir::Schedule& s : entry(name).schedules)
      for (auto [batch, n, global] : {std::tuple{1, 5120, 0.0123f}, {3, 80, 1.0f}}) {
        if (s.budget.beside_next && device->info().major < 9) continue;
        Problem p(name, ir::Elem::BF16, s, {{"B", batch}, {"N", n}, {"K", 6144}});
        INFO(p.config.label << " B " << batch << " N " << n);
        p.scalars["global_scale"] = global;
        const Tensors got = on_device(p, ir::Elem::BF16, runtime, *device);
        p.refer();
        CHECK(first_difference(got, p.tensors) == "");
      }
}

/// Schedules that bind B say so in their names.
static bool takes(const ir::Schedule& s, std::int64_t batch) {
  return s.name.find("_B") == s.name.npos ||
         s.name.find(fmt::format("_B{}_", batch)) != s.name.npos;
}

TEST_CASE("wo_nvfp4_fast has the reference's bits on a GPU", "[kernels][wo][gpu]") {
  auto device = gpu();
  if (!device || device->info().major != 9) return;  // the order is that of sm_90's tensor cores
  jit::Runtime runtime(runtime::options_from_environment());
  struct Case {
    const char* name;
    std::int64_t n, k;
    std::vector<std::int64_t> batches;
  };
  for (const Case& of : {Case{"wo_nvfp4_fast", 5120, 6144, {1, 16}},
                         {"wo_nvfp4_fast", 640, 6144, {2, 3, 4, 8, 18}},
                         {"wo_nvfp4_fast64", 640, 8192, {1, 3, 8, 10}}})
    for (std::int64_t batch : of.batches) {
      Tensors want;  // the same for every schedule
      for (const ir::Schedule& s : entry(of.name).schedules) {
        if (!takes(s, batch)) continue;
        Problem p(of.name, ir::Elem::BF16, s, {{"B", batch}, {"N", of.n}, {"K", of.k}});
        INFO(p.config.label << " B " << batch << " N " << of.n);
        p.scalars["global_scale"] = 0.0123f;
        const Tensors got = on_device(p, ir::Elem::BF16, runtime, *device);
        if (want.empty()) {
          p.refer();
          want = p.tensors;
        }
        CHECK(first_difference(got, want) == "");
      }
    }
}

TEST_CASE("a grid of wo_nvfp4 that is not resident is refused on a GPU", "[kernels][wo][gpu]") {
  auto device = gpu();
  if (!device) return;
  jit::Runtime runtime(runtime::options_from_environment());
  Problem p = wo_problem("wo_nvfp4", {.batch = 64, .n = 4, .slices = 64, .split = 8});
  DeviceRun kernel(p, ir::Elem::BF16, runtime, *device);
  CHECK_THROWS_WITH(kernel.run(), Catch::Matchers::Contains("must be resident at once"));
}
