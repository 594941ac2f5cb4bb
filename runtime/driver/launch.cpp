// SPDX-License-Identifier: Apache-2.0
// Launching. The CUkernel handle goes to the driver as it is (the driver takes it for a function
// and finds the context by the stream), and the attributes live on this stack frame.
#include "runtime/driver/launch.h"

#include <fmt/format.h>

#include <optional>
#include <stdexcept>

namespace barline::driver {
namespace {

/// A launch configuration with the attributes it points at.
struct Prepared {
  abi::LaunchAttribute attributes[3];
  abi::LaunchConfig config;

  Prepared(const LaunchShape& shape, abi::StreamHandle stream) {
    unsigned count = 0;
    if (shape.cooperative) {
      attributes[count].id = abi::LaunchAttributeId::Cooperative;
      attributes[count++].value.cooperative = 1;
    }
    if (shape.cluster != Dim3{}) {
      attributes[count].id = abi::LaunchAttributeId::ClusterDimension;
      attributes[count++].value.cluster = {shape.cluster.x, shape.cluster.y, shape.cluster.z};
    }
    if (shape.programmatic) {
      attributes[count].id = abi::LaunchAttributeId::ProgrammaticStreamSerialization;
      attributes[count++].value.programmatic_stream_serialization = 1;
    }
    config = {shape.grid.x,
              shape.grid.y,
              shape.grid.z,
              shape.block.x,
              shape.block.y,
              shape.block.z,
              shape.dynamic_shared_bytes,
              stream,
              attributes,
              count};
  }
};

[[gnu::cold]] std::string description(const Kernel& kernel, const LaunchShape& shape) {
  return fmt::format(
      "kernel '{}', grid {}x{}x{}, block {}x{}x{}, {} bytes of dynamic shared memory{}{}",
      kernel.name(), shape.grid.x, shape.grid.y, shape.grid.z, shape.block.x, shape.block.y,
      shape.block.z, shape.dynamic_shared_bytes, shape.cooperative ? ", cooperative" : "",
      shape.cluster != Dim3{} ? ", in clusters" : "");
}

void launch_raw(const Kernel& kernel, const LaunchShape& shape, abi::StreamHandle stream,
                void** arguments, void** extra) {
  Prepared prepared(shape, stream);
  auto function = reinterpret_cast<abi::FunctionHandle>(kernel.handle());
  const abi::Api& api = kernel.device().api();
  std::optional<ContextScope> scope;
  if (stream == nullptr) scope.emplace(kernel.device());  // it means a device by the context alone
  const abi::Result result = api.cuLaunchKernelEx(&prepared.config, function, arguments, extra);
  if (result != abi::Result::Success) [[unlikely]]
    kernel.device().driver().fail(result, "cuLaunchKernelEx", description(kernel, shape));
}

std::size_t blocks_of(const Dim3& grid) { return std::size_t{grid.x} * grid.y * grid.z; }

}  // namespace

void launch(const Kernel& kernel, const LaunchShape& shape, abi::StreamHandle stream,
            void** arguments) {
  launch_raw(kernel, shape, stream, arguments, nullptr);
}

void launch_packed(const Kernel& kernel, const LaunchShape& shape, abi::StreamHandle stream,
                   std::span<const std::byte> arguments) {
  std::size_t bytes = arguments.size();
  void* extra[] = {abi::launch_param_buffer_pointer(), const_cast<std::byte*>(arguments.data()),
                   abi::launch_param_buffer_size(), &bytes, abi::launch_param_end()};
  launch_raw(kernel, shape, stream, nullptr, extra);
}

int resident_blocks(const Kernel& kernel, const LaunchShape& shape) {
  const Device& device = kernel.device();
  if (shape.cluster == Dim3{}) {
    const int threads = static_cast<int>(blocks_of(shape.block));
    return kernel.blocks_per_sm(threads, shape.dynamic_shared_bytes) * device.info().sm_count;
  }
  ContextScope scope(device);
  Prepared prepared(shape, nullptr);
  abi::FunctionHandle function = nullptr;
  device.driver().check(device.api().cuKernelGetFunction(&function, kernel.handle()),
                        "cuKernelGetFunction", kernel.name());
  int clusters = 0;
  device.driver().check(
      device.api().cuOccupancyMaxActiveClusters(&clusters, function, &prepared.config),
      "cuOccupancyMaxActiveClusters", kernel.name());
  return clusters * static_cast<int>(blocks_of(shape.cluster));
}

void check_shape(const Kernel& kernel, const LaunchShape& shape) {
  const DeviceInfo& info = kernel.device().info();
  const std::size_t threads = blocks_of(shape.block);
  if (threads == 0 || blocks_of(shape.grid) == 0) {
    throw std::invalid_argument(
        fmt::format("kernel '{}': a grid or block extent is zero", kernel.name()));
  }
  if (threads > static_cast<std::size_t>(info.max_threads_per_block)) {
    throw std::invalid_argument(fmt::format("kernel '{}': {} threads a block; {} allows {}",
                                            kernel.name(), threads, info.name,
                                            info.max_threads_per_block));
  }
  if (shape.cluster != Dim3{} && !info.clusters) {
    throw std::invalid_argument(fmt::format("kernel '{}' launches in clusters, which sm_{} has not",
                                            kernel.name(), info.sm()));
  }
  if (shape.cluster != Dim3{} && resident_blocks(kernel, shape) == 0) {
    throw std::invalid_argument(fmt::format(
        "kernel '{}': no cluster of {} blocks, each of {} threads and {} bytes of "
        "dynamic shared memory, fits on {}. Choose a schedule with smaller tiles, fewer "
        "slots or without clusters.",
        kernel.name(), blocks_of(shape.cluster), threads, shape.dynamic_shared_bytes, info.name));
  }
  if (!shape.cooperative) return;
  const std::size_t fit = static_cast<std::size_t>(resident_blocks(kernel, shape));
  if (blocks_of(shape.grid) > fit) {
    throw std::invalid_argument(fmt::format(
        "kernel '{}' is cooperative: its {} blocks must be resident at once, and {} fit on {} "
        "({} SMs). Launch fewer blocks or choose a schedule with fewer registers or less "
        "shared memory.",
        kernel.name(), blocks_of(shape.grid), fit, info.name, info.sm_count));
  }
}

}  // namespace barline::driver
