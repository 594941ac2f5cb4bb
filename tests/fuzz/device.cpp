// SPDX-License-Identifier: Apache-2.0
// Random kernels past the IR: ptxas accepts what is emitted, and a GPU gives the simulator's bits.
#include <fmt/format.h>

#include <array>
#include <catch2/catch.hpp>
#include <cstdio>
#include <optional>

#include "codegen/compile.h"
#include "ir/extents.h"
#include "ir/pipeline.h"
#include "ir/print.h"
#include "ir/target.h"
#include "runtime/driver/buffer.h"
#include "runtime/driver/launch.h"
#include "runtime/jit/runtime.h"
#include "tests/support/ptxas.h"
#include "tests/support/run_random.h"

using namespace barline;
using namespace barline::test;

namespace {

std::optional<driver::Device> first_device() {
  try {
    return driver::Driver::load()->device(0);
  } catch (const driver::Error& error) {
    if (!error.means_no_device()) throw;
    std::printf("SKIP: no GPU (%s)\n", error.what());
    return std::nullopt;
  }
}

unsigned blocks(const RandomKernel& r, const ir::GridDim& g) {
  std::vector<std::int64_t> sizes;
  std::size_t dynamic = 0;
  for (const ir::Axis& a : r.kernel.axes)
    sizes.push_back(ir::is_dynamic(a) ? r.axis_sizes.at(dynamic++) : a.bound.value_or(0));
  ir::derive_sizes(r.kernel, sizes);
  return static_cast<unsigned>(ir::blocks(g, sizes));
}

/// The lowered kernel on the device.
RandomRun run_on(const driver::Device& device, const RandomKernel& r,
                 const RandomArguments& arguments) {
  const ir::Kernel& k = r.kernel;
  const ir::Target& target = jit::target_for(device.info());
  auto library = driver::Library::from_ptx(device, codegen::emit_ptx(k, target), k.name);
  driver::Kernel entry = library.kernel(k.name);
  std::vector<driver::Buffer> buffers;
  std::vector<std::uint64_t> values;
  for (std::size_t i = 0; i < k.params.size(); ++i) {
    values.push_back(arguments.scalars[i].bits);
    if (!k.params[i].type.is_pointer()) continue;
    buffers.emplace_back(device, arguments.tensors[i].data.size());
    buffers.back().copy_from_host(arguments.tensors[i].data);
    values.back() = buffers.back().pointer();
  }
  for (std::int64_t size : r.axis_sizes) values.push_back(static_cast<std::uint64_t>(size));
  std::vector<void*> pointers;
  for (std::uint64_t& v : values) pointers.push_back(&v);
  auto u = [](std::int64_t n) { return static_cast<unsigned>(n); };
  const ir::Launch& l = k.launch;
  driver::LaunchShape shape{
      .grid = {blocks(r, l.grid[0]), blocks(r, l.grid[1]), blocks(r, l.grid[2])},
      .block = {u(l.threads[0]), u(l.threads[1]), u(l.threads[2])},
      .dynamic_shared_bytes = u(ir::shared_bytes(k))};
  entry.set_max_dynamic_shared(shape.dynamic_shared_bytes);
  driver::launch(entry, shape, nullptr, pointers.data());
  device.synchronize();
  RandomRun run;
  std::size_t b = 0;
  for (std::size_t i = 0; i < k.params.size(); ++i) {
    if (!k.params[i].type.is_pointer()) continue;
    run.outputs.push_back(arguments.tensors[i]);
    buffers[b++].copy_to_host(run.outputs.back().data);
  }
  return run;
}

}  // namespace

TEST_CASE("ptxas accepts random kernels on every target", "[ptxas]") {
  auto ptxas = barline::test::find_ptxas();
  std::uint64_t seed = 1000;
  for (int i = 0; i < fuzz_count(12); ++i)
    for (const ir::Target& target : {ir::targets()[static_cast<std::size_t>(i) % 6]}) {
      RandomKernel r = random_kernel(seed += 3);
      ir::run_pipeline(r.kernel);
      INFO("seed " << seed << " on " << target.name << "\n" << ir::print(r.kernel));
      codegen::Compiled c = codegen::compile(r.kernel, target, ptxas);
      CHECK(c.disagreements.empty());
      CHECK(c.report.smem_static == 0);
    }
}

TEST_CASE("random kernels give the simulator's bits on a GPU", "[gpu]") {
  auto device = first_device();
  if (!device) return;
  for (std::uint64_t seed = 0; seed < static_cast<std::uint64_t>(fuzz_count(500)); ++seed) {
    RandomKernel r = random_kernel(seed);
    RandomArguments arguments = random_arguments(r, seed);
    ir::run_pipeline(r.kernel);
    RandomRun want = simulate_random(r.kernel, r.axis_sizes, arguments, true);
    REQUIRE(want.finding == "");
    auto judge = [&](const RandomKernel& k) {
      RandomRun sim = simulate_random(k.kernel, k.axis_sizes, arguments, true);
      return sim.finding.empty() ? difference(run_on(*device, k, arguments), sim) : "";
    };
    std::string d = judge(r);
    if (!d.empty())
      FAIL_CHECK(report(r, seed, "device: " + d, [&](const RandomKernel& k) {
        std::string now = judge(k);
        return now.empty() ? now : "device: " + now;
      }));
  }
}
