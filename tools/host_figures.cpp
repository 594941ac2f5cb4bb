// SPDX-License-Identifier: Apache-2.0
#include "tools/host_figures.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <functional>
#include <tuple>

namespace barline::tools {
namespace {

using Clock = std::chrono::steady_clock;

double us_of(const std::function<void()>& work) {
  auto start = Clock::now();
  work();
  return std::chrono::duration<double, std::micro>(Clock::now() - start).count();
}

double median(std::vector<double> v) {
  std::sort(v.begin(), v.end());
  return v[v.size() / 2];
}

/// Host time of one call of each, over batches short enough that the device's queue does not fill,
/// in turn, so that a drift of the machine meets both.
std::pair<double, double> per_launch_us(const driver::Stream& stream,
                                        const std::function<void()>& a,
                                        const std::function<void()>& b) {
  constexpr int batch = 200, rounds = 41;
  std::vector<double> times[2];
  for (int round = 0; round < rounds; ++round) {
    for (int side = 0; side < 2; ++side) {
      const std::function<void()>& launch = side == 0 ? a : b;
      stream.synchronize();
      times[side].push_back(us_of([&] {
                              for (int i = 0; i < batch; ++i) launch();
                            }) /
                            batch);
    }
  }
  return {median(times[0]), median(times[1])};
}

}  // namespace

HostFigures measure_host(const Context& context, const driver::Device& device,
                         const Session& session, const Job& job, const Problem& problem,
                         const std::string& scratch, int rounds) {
  HostFigures f;
  runtime::Options options = context.runtime;
  std::filesystem::path folder =
      std::filesystem::path(scratch) /
      fmt::format("barline-host-figures-{}", Clock::now().time_since_epoch().count());
  options.cache.dir = folder;
  const dsl::KernelEntry& entry = session.entry(job);
  auto prepare = [&](jit::Runtime& r) {
    return r.prepare(device, entry, session.elem(job), problem.config);
  };
  jit::Unit unit{.entry = &entry,
                 .elem = session.elem(job),
                 .config = problem.config,
                 .target = &jit::target_for(device.info())};

  constexpr int finds = 1000;  // one alone is below what the clock resolves
  std::vector<double> cold, warm, warm_entry, memory;
  for (int i = 0; i < rounds; ++i) {
    std::filesystem::remove_all(folder);
    jit::Runtime fresh(options);
    cold.push_back(us_of([&] { prepare(fresh); }) / 1e3);
    memory.push_back(us_of([&] {
                       for (int again = 0; again < finds; ++again) fresh.find(unit);
                     }) /
                     finds);
    jit::Runtime again(options);
    warm_entry.push_back(us_of([&] { again.find(unit); }) / 1e3);
    jit::Runtime third(options);
    warm.push_back(us_of([&] { prepare(third); }) / 1e3);
  }
  f.cold_jit_ms = median(cold);
  f.warm_disk_ms = median(warm);
  f.warm_entry_ms = median(warm_entry);
  f.memory_hit_us = median(memory);

  jit::Runtime runtime(options);
  jit::Prepared prepared = prepare(runtime);
  DeviceProblem operands(device, problem, 1);
  driver::Stream stream(device);
  driver::LaunchShape shape = prepared.shape(problem.axis_sizes());
  std::vector<void*> pointers = operands.raw_arguments(prepared, 0);
  auto function = reinterpret_cast<driver::abi::FunctionHandle>(prepared.kernel().handle());
  std::tie(f.launch_us, f.driver_launch_us) = per_launch_us(
      stream, [&] { operands.launch(prepared, stream.handle(), 0); },
      [&] {
        device.api().cuLaunchKernel(
            function, shape.grid.x, shape.grid.y, shape.grid.z, shape.block.x, shape.block.y,
            shape.block.z, shape.dynamic_shared_bytes, stream.handle(), pointers.data(), nullptr);
      });
  stream.synchronize();
  std::filesystem::remove_all(folder);
  return f;
}

}  // namespace barline::tools
