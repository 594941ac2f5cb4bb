// SPDX-License-Identifier: Apache-2.0
// Every kernel, element type and schedule on a GPU: the bits of the reference. Skipped without one.
#include <catch2/catch.hpp>
#include <cstdio>
#include <optional>

#include "problem.h"
#include "runtime/driver/buffer.h"
#include "runtime/jit/runtime.h"

using namespace barline;
using test::Problem;

namespace {

std::optional<driver::Device> gpu() {
  try {
    return driver::Driver::load()->device(0);
  } catch (const driver::Error& e) {
    if (!e.means_no_device()) throw;
    std::printf("SKIP: no GPU (%s)\n", e.what());
    return std::nullopt;
  }
}

/// The tensors after a run on the device; outputs start poisoned.
test::Tensors on_device(const Problem& p, ir::Elem type, jit::Runtime& runtime,
                        const driver::Device& device) {
  jit::Prepared kernel = runtime.prepare(device, *p.kernel, type, p.config);
  test::Tensors result = p.tensors;
  std::map<std::string, driver::Buffer> buffers;
  std::vector<jit::Argument> arguments;
  for (const jit::SignatureParam& param : kernel.signature().params) {
    if (!param.tensor) {
      arguments.emplace_back(static_cast<float>(p.scalars.at(param.name)));
      continue;
    }
    ir::Tensor& t = result.at(param.name);
    if (param.access == ir::Access::Out) std::fill(t.data.begin(), t.data.end(), std::byte{0xa5});
    driver::Buffer& b =
        buffers.emplace(param.name, driver::Buffer(device, t.data.size())).first->second;
    b.copy_from_host(t.data);
    arguments.push_back(jit::Argument::pointer(b.pointer()));
  }
  std::vector<std::int64_t> sizes;
  for (const jit::SignatureAxis& axis : kernel.signature().axes)
    sizes.push_back(p.sizes.at(axis.name));
  driver::Stream stream(device);
  kernel.launch(stream.handle(), arguments, sizes);
  stream.synchronize();
  for (auto& [name, buffer] : buffers) buffer.copy_to_host(result.at(name).data);
  return result;
}

test::Sizes sizes_for(const std::string& name, std::int64_t rows, std::int64_t d) {
  if (name == "transpose") return {{"rows", rows * 37}, {"cols", d / 8}};
  if (name == "rms_norm_quant_q8") return {{"rows", rows}, {"d", d}, {"groups", d / 32}};
  for (const char* row :
       {"rms_norm", "rms_norm_residual", "layer_norm", "softmax", "dequant_s8", "row_argmax"})
    if (name == row) return {{"rows", rows}, {"d", d}};
  return {{"n", rows * d + 3}};
}

}  // namespace

/// Kernels of rows and of plain elements; contractions have a test of their own.
TEST_CASE("kernels on a GPU have the reference's bits", "[kernels][gpu]") {
  auto device = gpu();
  if (!device) return;
  jit::Runtime runtime(runtime::options_from_environment());
  for (const dsl::KernelEntry& e : test::all_entries()) {
    if (e.flops) continue;
    for (ir::Elem type : e.types)
      for (const ir::Schedule& s : e.schedules)
        for (auto [rows, d] : {std::pair{3, 2592}, {70, 5120}, {2, 8192}}) {
          Problem p(e.name, type, s, sizes_for(e.name, rows, d));
          INFO(p.config.label << " rows " << rows << " d " << d);
          test::Tensors got = on_device(p, type, runtime, *device);
          p.refer();
          CHECK(test::first_difference(got, p.tensors) == "");
        }
  }
}
