// SPDX-License-Identifier: Apache-2.0
// Loading libcuda. Only cuGetProcAddress is looked up by name in the library: a plain lookup of,
// say, cuMemAlloc gives the ABI of CUDA 2, while cuGetProcAddress gives the ABI of the version
// asked for.
#include "runtime/driver/driver.h"

#include <dlfcn.h>
#include <fmt/format.h>

#include "runtime/driver/device.h"

namespace barline::driver {
namespace {

// cuLibraryLoadData and the five-argument cuGetProcAddress came with 12.0.
constexpr int least_version = 12000;

constexpr const char* without_driver =
    "Compiling, gates, proofs and the simulator work without a GPU; launches do not.";

[[noreturn]] void fail_stub(const std::string& library) {
  throw Error(
      ErrorKind::StubLibrary, abi::Result::StubLibrary, "CUDA_ERROR_STUB_LIBRARY", "cuInit",
      fmt::format("'{}' is the CUDA toolkit's link-time stub, not a driver. Take the toolkit's "
                  "stubs folder out of LD_LIBRARY_PATH, or install the NVIDIA driver. {}",
                  library, without_driver));
}

}  // namespace

Error::Error(ErrorKind kind, abi::Result code, std::string code_name, std::string call,
             const std::string& message, std::source_location site)
    : std::runtime_error(message),
      kind_(kind),
      code_(code),
      code_name_(std::move(code_name)),
      call_(std::move(call)),
      site_(site) {}

std::shared_ptr<const Driver> Driver::load(const Options& options) {
  std::shared_ptr<Driver> driver(new Driver);
  GetProcAddress get = options.get_proc_address;
  if (get == nullptr) {
    get = driver->open(options.libraries);
  } else {
    driver->library_ = "the host's driver";
  }
  driver->resolve(get);
  driver->initialise();
  return driver;
}

GetProcAddress Driver::open(const std::vector<std::string>& candidates) {
  void* handle = nullptr;
  std::string reasons;
  for (const std::string& candidate : candidates) {
    library_ = candidate;
    handle = dlopen(candidate.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (handle != nullptr) break;
    const char* why = dlerror();
    reasons += fmt::format("{}{}", reasons.empty() ? "" : "; ", why != nullptr ? why : "");
  }
  if (handle == nullptr) {
    throw Error(
        ErrorKind::NoDriver, abi::Result::NotInitialized, "", "dlopen",
        fmt::format("no CUDA driver: {}. Install the NVIDIA driver or run where there is one. {}",
                    reasons.empty() ? "no library name was given" : reasons, without_driver));
  }
  auto get = reinterpret_cast<GetProcAddress>(dlsym(handle, "cuGetProcAddress_v2"));
  if (get == nullptr) {
    throw Error(
        ErrorKind::TooOld, abi::Result::NotSupported, "", "cuGetProcAddress",
        fmt::format("'{}' is a driver below CUDA 12.0, the oldest that barline runs on. Install "
                    "driver 525 or newer.",
                    library_));
  }
  return get;
}

void Driver::resolve(GetProcAddress get) {
  const auto find = [&](const char* name, int version) -> void* {
    void* address = nullptr;
    auto status = abi::ProcAddressStatus::Success;
    const abi::Result result =
        get(name, &address, version, abi::proc_address_legacy_stream, &status);
    if (result == abi::Result::StubLibrary) fail_stub(library_);
    const bool found = result == abi::Result::Success && address != nullptr;
    if (!found && version <= least_version) {
      throw Error(
          ErrorKind::TooOld, result, "", name,
          fmt::format("the CUDA driver '{}' has no {} of CUDA {}.{}. Install driver 525 or newer.",
                      library_, name, version / 1000, version % 1000 / 10));
    }
    return found ? address : nullptr;
  };
#define DRIVER_FN(name, version, parameters) \
  api_.name = reinterpret_cast<decltype(api_.name)>(find(#name, version));
  using namespace abi;
#include "runtime/driver/cuda.def"
#undef DRIVER_FN
}

void Driver::initialise() {
  const abi::Result result = api_.cuInit(0);
  if (result == abi::Result::StubLibrary) fail_stub(library_);
  if (result == abi::Result::NoDevice) {
    throw Error(
        ErrorKind::NoDevice, result, "CUDA_ERROR_NO_DEVICE", "cuInit",
        fmt::format("the CUDA driver '{}' sees no GPU (is CUDA_VISIBLE_DEVICES empty, or the "
                    "container started without GPUs?). {}",
                    library_, without_driver));
  }
  check(result, "cuInit");
  check(api_.cuDriverGetVersion(&version_), "cuDriverGetVersion");
  check(api_.cuDeviceGetCount(&device_count_), "cuDeviceGetCount");
}

Device Driver::device(int ordinal) const {
  if (ordinal < 0 || ordinal >= device_count_) {
    throw Error(ErrorKind::NoDevice, abi::Result::InvalidDevice, "CUDA_ERROR_INVALID_DEVICE",
                "cuDeviceGet",
                fmt::format("there is no CUDA device {}: the driver sees {} device{}", ordinal,
                            device_count_, device_count_ == 1 ? "" : "s"));
  }
  return Device(shared_from_this(), ordinal);
}

std::string Driver::result_name(abi::Result result) const {
  const char* name = nullptr;
  if (api_.cuGetErrorName != nullptr &&
      api_.cuGetErrorName(result, &name) == abi::Result::Success && name != nullptr) {
    return name;
  }
  return fmt::format("CUresult {}", static_cast<int>(result));
}

void Driver::fail(abi::Result result, const char* call, const std::string& what,
                  std::source_location site) const {
  if (result == abi::Result::StubLibrary) fail_stub(library_);
  const char* text = nullptr;
  if (api_.cuGetErrorString == nullptr ||
      api_.cuGetErrorString(result, &text) != abi::Result::Success || text == nullptr) {
    text = "the driver gives no description";
  }
  const std::string name = result_name(result);
  const std::string named = what.empty() ? std::string(call) : fmt::format("{} ({})", call, what);
  const ErrorKind kind = result == abi::Result::NoDevice ? ErrorKind::NoDevice : ErrorKind::Call;
  throw Error(kind, result, name, named,
              fmt::format("{} failed: {} ({}): {}", named, name, static_cast<int>(result), text),
              site);
}

}  // namespace barline::driver
