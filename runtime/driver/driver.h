// SPDX-License-Identifier: Apache-2.0
// The loaded CUDA driver. libcuda is opened at run time, so a machine without a GPU runs everything
// but launches; its entry points are asked of cuGetProcAddress, row by row of cuda.def.
#pragma once
#include <memory>
#include <source_location>
#include <string>
#include <vector>

#include "runtime/driver/api.h"
#include "runtime/driver/error.h"

namespace barline::driver {

/// The driver's cuGetProcAddress, as of CUDA 12.
using GetProcAddress = abi::Result (*)(const char* name, void** address, int version,
                                       std::uint64_t flags, abi::ProcAddressStatus* status);

struct Options {
  /// Tried in this order; the first that loads is used.
  std::vector<std::string> libraries{"libcuda.so.1"};
  /// For a host that already holds a driver, and for tests: no library is opened then.
  GetProcAddress get_proc_address = nullptr;
};

class Device;

/// One loaded and initialised driver. It is never unloaded.
class Driver : public std::enable_shared_from_this<Driver> {
 public:
  /// Loads and initialises. Throws Error of kind NoDriver, StubLibrary, TooOld, NoDevice or Call.
  static std::shared_ptr<const Driver> load(const Options& options = {});

  Driver(const Driver&) = delete;
  Driver& operator=(const Driver&) = delete;

  const abi::Api& api() const { return api_; }
  const std::string& library() const { return library_; }  ///< the name that was loaded
  int version() const { return version_; }                 ///< 13000 for CUDA 13.0
  int device_count() const { return device_count_; }

  /// Device `ordinal`, its primary context retained. Throws Error{NoDevice} out of range.
  Device device(int ordinal) const;

  /// Throws Error{Call} unless `result` is Success; `call` and `what` name the call.
  void check(abi::Result result, const char* call, const std::string& what = {},
             std::source_location site = std::source_location::current()) const {
    if (result != abi::Result::Success) [[unlikely]] {
      fail(result, call, what, site);
    }
  }
  [[noreturn]] void fail(abi::Result result, const char* call, const std::string& what,
                         std::source_location site = std::source_location::current()) const;

  /// "CUDA_ERROR_INVALID_VALUE"; a number when the driver does not know it.
  std::string result_name(abi::Result result) const;

 private:
  Driver() = default;
  GetProcAddress open(const std::vector<std::string>& candidates);
  void resolve(GetProcAddress get);
  void initialise();

  abi::Api api_;
  std::string library_;
  int version_ = 0;
  int device_count_ = 0;
};

}  // namespace barline::driver
