// SPDX-License-Identifier: Apache-2.0
// Device facts, the primary context and making it current.
#include "runtime/driver/device.h"

#include <fmt/format.h>

namespace barline::driver {
namespace {

using abi::DeviceAttribute;

int attribute(const Driver& driver, abi::DeviceId id, DeviceAttribute which) {
  int value = 0;
  driver.check(driver.api().cuDeviceGetAttribute(&value, which, id), "cuDeviceGetAttribute");
  return value;
}

DeviceInfo read_info(const Driver& driver, abi::DeviceId id, int ordinal) {
  const abi::Api& api = driver.api();
  const auto get = [&](DeviceAttribute which) { return attribute(driver, id, which); };
  char text[256] = {};
  DeviceInfo info;
  info.ordinal = ordinal;
  driver.check(api.cuDeviceGetName(text, sizeof text, id), "cuDeviceGetName");
  info.name = text;
  driver.check(api.cuDeviceGetPCIBusId(text, sizeof text, id), "cuDeviceGetPCIBusId");
  info.pci_id = text;
  driver.check(api.cuDeviceTotalMem(&info.memory_bytes, id), "cuDeviceTotalMem");
  info.driver_version = driver.version();
  info.major = get(DeviceAttribute::ComputeCapabilityMajor);
  info.minor = get(DeviceAttribute::ComputeCapabilityMinor);
  info.sm_count = get(DeviceAttribute::MultiprocessorCount);
  info.threads_per_sm = get(DeviceAttribute::MaxThreadsPerMultiprocessor);
  info.blocks_per_sm = get(DeviceAttribute::MaxBlocksPerMultiprocessor);
  info.registers_per_sm = get(DeviceAttribute::MaxRegistersPerMultiprocessor);
  info.max_threads_per_block = get(DeviceAttribute::MaxThreadsPerBlock);
  info.shared_per_block = get(DeviceAttribute::MaxSharedPerBlock);
  info.shared_per_block_optin = get(DeviceAttribute::MaxSharedPerBlockOptin);
  info.shared_per_sm = get(DeviceAttribute::MaxSharedPerMultiprocessor);
  info.shared_reserved_per_block = get(DeviceAttribute::ReservedSharedPerBlock);
  info.l2_bytes = get(DeviceAttribute::L2CacheBytes);
  info.clock_khz = get(DeviceAttribute::ClockRateKhz);
  info.memory_clock_khz = get(DeviceAttribute::MemoryClockRateKhz);
  info.memory_bus_bits = get(DeviceAttribute::MemoryBusBits);
  info.cooperative = get(DeviceAttribute::CooperativeLaunch) != 0;
  info.clusters = get(DeviceAttribute::ClusterLaunch) != 0;
  return info;
}

}  // namespace

Device::Device(std::shared_ptr<const Driver> driver, int ordinal) {
  auto state = std::make_shared<State>();
  state->driver = std::move(driver);
  const Driver& loaded = *state->driver;
  const std::string what = fmt::format("device {}", ordinal);
  loaded.check(loaded.api().cuDeviceGet(&state->id, ordinal), "cuDeviceGet", what);
  state->info = read_info(loaded, state->id, ordinal);
  loaded.check(loaded.api().cuDevicePrimaryCtxRetain(&state->context, state->id),
               "cuDevicePrimaryCtxRetain", what);
  state_ = std::move(state);
}

// The driver may already be shut down when a host destroys its statics; there is nothing to do
// then.
Device::State::~State() {
  if (context != nullptr) driver->api().cuDevicePrimaryCtxRelease(id);
}

void Device::synchronize() const {
  ContextScope scope(*this);
  driver().check(api().cuCtxSynchronize(), "cuCtxSynchronize");
}

std::size_t Device::free_memory() const {
  ContextScope scope(*this);
  std::size_t free = 0, total = 0;
  driver().check(api().cuMemGetInfo(&free, &total), "cuMemGetInfo");
  return free;
}

ContextScope::ContextScope(const Device& device) : api_(device.api()) {
  abi::Context current = nullptr;
  device.driver().check(api_.cuCtxGetCurrent(&current), "cuCtxGetCurrent");
  if (current == device.context()) return;
  device.driver().check(api_.cuCtxPushCurrent(device.context()), "cuCtxPushCurrent");
  pushed_ = true;
}

ContextScope::~ContextScope() {
  abi::Context popped = nullptr;
  if (pushed_) api_.cuCtxPopCurrent(&popped);
}

}  // namespace barline::driver
