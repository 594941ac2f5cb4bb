// SPDX-License-Identifier: Apache-2.0
// wo_nvfp4 launched with one workspace in place of its three scratch tensors: the reference's bits
// launch after launch. Skipped without a GPU.
#include <catch2/catch.hpp>

#include "tests/kernels/on_device.h"
#include "wo_problem.h"

using namespace barline;
using namespace barline::test;

TEST_CASE("wo_nvfp4's partial sums and counters are scratch", "[kernels][wo]") {
  const Problem p = wo_problem("wo_nvfp4", {});
  int scratch = 0;
  for (const ir::Param& param : lowered(p).params) scratch += param.scratch;
  CHECK(scratch == 3);
}

TEST_CASE("wo_nvfp4 has the reference's bits on a workspace", "[kernels][wo][gpu]") {
  auto device = gpu();
  if (!device) return;
  jit::Runtime runtime(runtime::options_from_environment());
  Problem p = wo_problem("wo_nvfp4", {.n = 260});
  const jit::Prepared kernel = runtime.prepare(*device, *p.kernel, ir::Elem::BF16, p.config);
  std::vector<std::int64_t> sizes;
  for (const auto& axis : kernel.signature().axes) sizes.push_back(p.sizes.at(axis.name));
  std::vector<driver::Buffer> buffers;
  std::vector<jit::Argument> arguments;
  for (const runtime::SignatureParam& param : kernel.signature().params) {
    if (param.scratch) continue;
    if (!param.tensor) {
      arguments.emplace_back(static_cast<float>(p.scalars.at(param.name)));
      continue;
    }
    buffers.emplace_back(*device, p.tensors.at(param.name).data.size());
    buffers.back().copy_from_host(p.tensors.at(param.name).data);
    arguments.push_back(jit::Argument::pointer(buffers.back().pointer()));
  }
  const driver::Buffer& y = buffers.back();
  const runtime::WorkspaceSize need = kernel.workspace(sizes);
  driver::Buffer workspace(*device, need.bytes);
  const driver::Stream stream(*device);
  workspace.fill(0, stream.handle());
  for (int launch = 0; launch < 10; ++launch) {
    kernel.launch(stream.handle(), arguments, sizes,
                  {.workspace = workspace.pointer(), .workspace_bytes = need.bytes});
    stream.synchronize();
    p.refer();
    ir::Tensor got = p.tensors.at("y");
    y.copy_to_host(got.data);
    REQUIRE(got.data == p.tensors.at("y").data);
  }
}
