// SPDX-License-Identifier: Apache-2.0
// Contractions on a GPU: the reference's bits where the tensor core is modelled (sm_90), its bound
// elsewhere; the same bits from run to run. Skipped without one.
#include <catch2/catch.hpp>

#include "dsl/sample.h"
#include "on_device.h"
#include "verify/compare.h"

using namespace barline;
using test::Problem;

namespace {

/// At least these sizes, as the kernel under the schedule takes them.
test::Sizes sizes_of(const dsl::KernelEntry& e, ir::Elem type, const ir::Schedule& schedule,
                     std::int64_t m, std::int64_t n, std::int64_t k) {
  test::Sizes sizes{{"M", m}, {"N", n}, {"K", k}};
  if (e.name.starts_with("qkv"))
    sizes = {{"M", m}, {"K", k}, {"N_q", n}, {"N_k", n / 4 + 1}, {"N_v", n / 4 + 1}};
  return test::rounded_up(e.name, type, schedule, std::move(sizes));
}

bool is_contraction(const dsl::KernelEntry& e) {
  return e.name.starts_with("matmul") || e.name.starts_with("qkv");
}

void set_scales(Problem& p) {
  double scale = 0.01;
  for (auto& [name, value] : p.scalars) value = scale += 0.003;
}

/// "" or the output that lies outside its bound.
std::string outside(const Problem& p, const test::Tensors& got) {
  if (!p.kernel->bound) return "";  // the reference has the bits
  test::Tensors tensors = p.tensors;
  for (const auto& [name, bound] : p.kernel->bound({tensors, p.scalars, p.sizes, p.config})) {
    auto places = dsl::sample_places(got.at(name).count(), 1);
    auto c = verify::compare_within(got.at(name), places, bound.value, bound.slack);
    if (!c) return name + ": " + verify::bound_text(c);
  }
  return "";
}

}  // namespace

TEST_CASE("ragged contractions on a GPU have the reference's bits", "[kernels][gpu]") {
  auto device = test::gpu();
  if (!device) return;
  const bool modelled = device->info().major == 9;
  jit::Runtime runtime(runtime::options_from_environment());
  for (const dsl::KernelEntry& e : test::all_entries()) {
    if (!is_contraction(e)) continue;
    for (ir::Elem type : e.types)
      for (const ir::Schedule& s : e.schedules)
        for (auto [m, n, k] : {std::tuple{1, 1, 16},
                               {7, 130, 80},
                               {17, 65, 1000},
                               {63, 1000, 128},
                               {65, 63, 272},
                               {1000, 65, 256}}) {
          Problem p(e.name, type, s, sizes_of(e, type, s, m, n, k));
          set_scales(p);
          INFO(p.config.label << " M " << m << " N " << n << " K " << p.sizes.at("K"));
          test::Tensors got = test::on_device(p, type, runtime, *device);
          CHECK(outside(p, got) == "");
          if (!modelled) continue;
          p.refer();
          CHECK(test::first_difference(got, p.tensors) == "");
        }
  }
}

TEST_CASE("a contraction gives the same bits a hundred times", "[kernels][gpu]") {
  auto device = test::gpu();
  if (!device) return;
  jit::Runtime runtime(runtime::options_from_environment());
  for (const dsl::KernelEntry& e : test::all_entries()) {
    if (!is_contraction(e)) continue;
    for (const ir::Schedule& s : e.schedules)
      for (auto [m, n, k] : {std::tuple{256, 512, 1024}, {2048, 512, 4096}}) {
        Problem p(e.name, e.types.front(), s, sizes_of(e, e.types.front(), s, m, n, k));
        set_scales(p);
        test::DeviceRun kernel(p, e.types.front(), runtime, *device);
        const test::Tensors first = kernel.run();
        for (int run = 1; run < 100; ++run)
          if (auto other = test::first_difference(kernel.run(), first); !other.empty())
            FAIL(p.config.label << ": run " << run << ": " << other);
      }
  }
}
