// SPDX-License-Identifier: Apache-2.0
// A CUDA driver in the test's own process: every entry point of cuda.def, each call recorded, any
// result injected, one made-up device.
#pragma once
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "runtime/driver/driver.h"

namespace barline::driver::test {

/// What the fake does and saw. The driver's functions have no state argument, so the youngest
/// answers.
struct FakeDriver {
  FakeDriver();
  ~FakeDriver();
  FakeDriver(const FakeDriver&) = delete;
  FakeDriver& operator=(const FakeDriver&) = delete;

  /// Options that load this driver.
  Options options() const;

  std::map<std::string, abi::Result> results;      ///< injected, by entry point
  std::map<std::size_t, abi::Result> results_at;   ///< injected, by number of the call
  std::set<std::string> absent;                    ///< not known to this driver
  std::vector<std::string> calls;                  ///< in order
  std::map<abi::DeviceAttribute, int> attributes;  ///< of the device
  int static_shared = 0;
  int registers = 40, local_bytes = 40;  ///< of its kernels
  std::uintptr_t context = 16;  ///< primary, of devices to be asked for
  std::vector<std::byte> link_cubin;  ///< what linking makes
  std::string link_log;               ///< and says
  std::size_t link_target = 0;        ///< that it was asked for
  int blocks_per_sm = 2;
  int clusters = 3;  ///< that fit on the device
  bool capturing = false;
  bool quick = false;  ///< calls do nothing and are not recorded, for timing what is around them

  // The last launch, as the driver saw it.
  abi::LaunchConfig launch{};
  std::vector<abi::LaunchAttribute> launch_attributes;
  void** launch_parameters = nullptr;
  std::vector<std::byte> launch_packed;
  std::function<void(void** parameters)> on_launch;  ///< sees the arguments while they live

  /// A tensor map as it was asked for. The fake writes its number, from 1 on, into the map.
  struct Map {
    abi::TensorMapType type{};
    std::uint64_t address = 0, columns = 0, rows = 0, row_bytes = 0;
    std::uint32_t box_columns = 0, box_rows = 0;
    abi::TensorMapSwizzle swizzle{};
    abi::TensorMapFill fill{};
  };
  std::vector<Map> maps;

  std::size_t count(const std::string& name) const;

 private:
  FakeDriver* previous_;
};

}  // namespace barline::driver::test
