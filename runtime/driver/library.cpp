// SPDX-License-Identifier: Apache-2.0
// Loading code and asking about kernels. A CUlibrary spans contexts, so loading needs none current;
// residency and occupancy questions do.
#include "runtime/driver/library.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <stdexcept>
#include <utility>

#include "runtime/driver/jit_call_p.h"

namespace barline::driver {
KernelAttributes Kernel::attributes() const {
  const auto get = [&](abi::FunctionAttribute which) {
    int value = 0;
    device_->driver().check(
        device_->api().cuKernelGetAttribute(&value, which, handle_, device_->id()),
        "cuKernelGetAttribute", name_);
    return value;
  };
  return {
      .registers = get(abi::FunctionAttribute::Registers),
      .local_bytes = get(abi::FunctionAttribute::LocalBytes),
      .static_shared_bytes = get(abi::FunctionAttribute::SharedBytes),
      .max_dynamic_shared_bytes = get(abi::FunctionAttribute::MaxDynamicSharedBytes),
      .max_threads_per_block = get(abi::FunctionAttribute::MaxThreadsPerBlock),
      .ptx_version = get(abi::FunctionAttribute::PtxVersion),
      .binary_version = get(abi::FunctionAttribute::BinaryVersion),
  };
}

void Kernel::set_max_dynamic_shared(std::size_t bytes) const {
  const DeviceInfo& info = device_->info();
  const std::size_t fixed = static_cast<std::size_t>(attributes().static_shared_bytes);
  const std::size_t limit = static_cast<std::size_t>(info.shared_per_block_optin);
  if (bytes + fixed > limit) {
    throw std::invalid_argument(fmt::format(
        "kernel '{}' needs {} bytes of shared memory a block ({} dynamic, {} static); {} "
        "(sm_{}) allows {}. Choose a schedule with fewer stages or smaller tiles.",
        name_, bytes + fixed, bytes, fixed, info.name, info.sm(), limit));
  }
  device_->driver().check(
      device_->api().cuKernelSetAttribute(abi::FunctionAttribute::MaxDynamicSharedBytes,
                                          static_cast<int>(bytes), handle_, device_->id()),
      "cuKernelSetAttribute", name_);
}

void Kernel::make_resident() const {
  ContextScope scope(*device_);
  const abi::Api& api = device_->api();
  abi::FunctionHandle function = nullptr;
  device_->driver().check(api.cuKernelGetFunction(&function, handle_), "cuKernelGetFunction",
                          name_);
  if (api.cuFuncLoad != nullptr) {
    device_->driver().check(api.cuFuncLoad(function), "cuFuncLoad", name_);
  }
}

int Kernel::blocks_per_sm(int threads, std::size_t dynamic_shared_bytes) const {
  ContextScope scope(*device_);
  const abi::Api& api = device_->api();
  abi::FunctionHandle function = nullptr;
  device_->driver().check(api.cuKernelGetFunction(&function, handle_), "cuKernelGetFunction",
                          name_);
  int blocks = 0;
  device_->driver().check(api.cuOccupancyMaxActiveBlocksPerMultiprocessor(
                              &blocks, function, threads, dynamic_shared_bytes),
                          "cuOccupancyMaxActiveBlocksPerMultiprocessor", name_);
  return blocks;
}

Library::Library(const Device& device, std::string label)
    : device_(std::make_shared<const Device>(device)), label_(std::move(label)) {}

Library Library::from_image(const Device& device, std::span<const std::byte> image,
                            std::string label) {
  Library library(device, std::move(label));
  const abi::Result result = device.api().cuLibraryLoadData(&library.handle_, image.data(), nullptr,
                                                            nullptr, 0, nullptr, nullptr, 0);
  if (result == abi::Result::NoBinaryForGpu) {
    const DeviceInfo& info = device.info();
    device.driver().fail(result, "cuLibraryLoadData",
                         fmt::format("{}: {} bytes of code built for another GPU than {} (sm_{})",
                                     library.label_, image.size(), info.name, info.sm()));
  }
  device.driver().check(result, "cuLibraryLoadData",
                        fmt::format("{}, {} bytes", library.label_, image.size()));
  return library;
}

Library Library::from_ptx(const Device& device, std::string_view ptx, std::string label,
                          const JitOptions& options) {
  Library library(device, std::move(label));
  const std::string text(ptx);  // the driver wants a terminating zero
  JitCall jit;
  if (options.max_registers > 0)
    jit.add(abi::JitOption::MaxRegisters, static_cast<std::size_t>(options.max_registers));
  if (options.line_info) jit.add(abi::JitOption::GenerateLineInfo, 1);
  if (options.override_directives) jit.add(abi::JitOption::OverrideDirectiveValues, 1);
  const char* call = "cuLibraryLoadData";
  abi::Result result =
      device.api().cuLibraryLoadData(&library.handle_, text.c_str(), jit.options(), jit.values(),
                                     jit.count(), nullptr, nullptr, 0);
  if (result == abi::Result::Success) {
    // A lazy driver compiles at the first use; asking for the module compiles now, while the log's
    // buffers live and the caller can still be told.
    ContextScope scope(device);
    abi::ModuleHandle module = nullptr;
    call = "cuLibraryGetModule";
    result = device.api().cuLibraryGetModule(&module, library.handle_);
  }
  library.log_ = jit.log();
  if (result != abi::Result::Success) {
    const std::string hint =
        result == abi::Result::UnsupportedPtxVersion
            ? "; the driver is older than the PTX: update it, or ship a cubin for this GPU"
            : "";
    device.driver().fail(result, call,
                         fmt::format("{}, PTX{}; log: {}", library.label_, hint, library.log_));
  }
  return library;
}

Library::~Library() { unload(); }

void Library::unload() noexcept {
  if (handle_ == nullptr) return;
  // Unloading would end another thread's capture otherwise. Nobody can act on a failure here.
  const abi::Api& api = device_->api();
  auto mode = abi::CaptureMode::Relaxed;
  api.cuThreadExchangeStreamCaptureMode(&mode);
  api.cuLibraryUnload(handle_);
  api.cuThreadExchangeStreamCaptureMode(&mode);
  handle_ = nullptr;
}

Library::Library(Library&& other) noexcept
    : device_(std::move(other.device_)),
      handle_(std::exchange(other.handle_, nullptr)),
      label_(std::move(other.label_)),
      log_(std::move(other.log_)) {}

Library& Library::operator=(Library&& other) noexcept {
  if (this != &other) {
    unload();
    device_ = std::move(other.device_);
    handle_ = std::exchange(other.handle_, nullptr);
    label_ = std::move(other.label_);
    log_ = std::move(other.log_);
  }
  return *this;
}

Kernel Library::kernel(const std::string& name) const {
  Kernel kernel;
  kernel.device_ = device_.get();
  kernel.name_ = name;
  const abi::Result result =
      device_->api().cuLibraryGetKernel(&kernel.handle_, handle_, name.c_str());
  if (result == abi::Result::NotFound) {
    device_->driver().fail(
        result, "cuLibraryGetKernel",
        fmt::format("'{}' in {}, which has: {}", name, label_, fmt::join(kernel_names(), ", ")));
  }
  device_->driver().check(result, "cuLibraryGetKernel", fmt::format("'{}' in {}", name, label_));
  return kernel;
}

std::vector<std::string> Library::kernel_names() const {
  const abi::Api& api = device_->api();
  std::vector<std::string> names;
  if (api.cuLibraryGetKernelCount == nullptr || api.cuLibraryEnumerateKernels == nullptr ||
      api.cuKernelGetName == nullptr) {
    return names;
  }
  unsigned count = 0;
  device_->driver().check(api.cuLibraryGetKernelCount(&count, handle_), "cuLibraryGetKernelCount");
  std::vector<abi::KernelHandle> kernels(count);
  device_->driver().check(api.cuLibraryEnumerateKernels(kernels.data(), count, handle_),
                          "cuLibraryEnumerateKernels");
  for (abi::KernelHandle kernel : kernels) {
    const char* name = nullptr;
    device_->driver().check(api.cuKernelGetName(&name, kernel), "cuKernelGetName");
    names.emplace_back(name);
  }
  return names;
}

}  // namespace barline::driver
