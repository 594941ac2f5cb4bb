// SPDX-License-Identifier: Apache-2.0
// Every kernel, element type and schedule on a GPU: the bits of the reference. Skipped without one.
#include <catch2/catch.hpp>

#include "on_device.h"

using namespace barline;
using test::Problem;

namespace {

test::Sizes sizes_for(const std::string& name, std::int64_t rows, std::int64_t d) {
  if (name == "transpose") return {{"rows", rows * 37}, {"cols", d / 8}};
  if (name.starts_with("repack")) return {{"N", rows * 37}, {"K", d / 64 * 64}};
  if (name == "rms_norm_quant_q8") return {{"rows", rows}, {"d", d}, {"groups", d / 32}};
  for (const char* row :
       {"rms_norm", "rms_norm_residual", "layer_norm", "softmax", "dequant_s8", "row_argmax"})
    if (name == row) return {{"rows", rows}, {"d", d}};
  return {{"n", rows * d + 3}};
}

}  // namespace

/// Kernels of rows and of plain elements; contractions have a test of their own.
TEST_CASE("kernels on a GPU have the reference's bits", "[kernels][gpu]") {
  auto device = test::gpu();
  if (!device) return;
  jit::Runtime runtime(runtime::options_from_environment());
  for (const dsl::KernelEntry& e : test::all_entries()) {
    if (e.flops) continue;
    for (ir::Elem type : e.types)
      for (const ir::Schedule& s : e.schedules)
        for (auto [rows, d] : {std::pair{3, 2592}, {70, 5120}, {2, 8192}}) {
          Problem p(e.name, type, s, sizes_for(e.name, rows, d));
          INFO(p.config.label << " rows " << rows << " d " << d);
          test::Tensors got = test::on_device(p, type, runtime, *device);
          p.refer();
          CHECK(test::first_difference(got, p.tensors) == "");
        }
  }
}
