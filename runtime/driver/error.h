// SPDX-License-Identifier: Apache-2.0
// What a failing driver looks like to callers: one exception type with the kind of failure, the
// driver's result code and name, and the call that gave it.
#pragma once
#include <source_location>
#include <stdexcept>
#include <string>

#include "runtime/driver/cuda_abi.h"

namespace barline::driver {

/// The failures a user must tell apart. All but Call mean that no device can be used at all.
enum class ErrorKind {
  NoDriver,     ///< libcuda cannot be loaded
  StubLibrary,  ///< the toolkit's link-time stub was loaded instead of the driver
  TooOld,       ///< the driver lacks an entry point that is needed
  NoDevice,     ///< the driver works and sees no such device
  Call,         ///< a driver call failed
};

class Error : public std::runtime_error {
 public:
  Error(ErrorKind kind, abi::Result code, std::string code_name, std::string call,
        const std::string& message, std::source_location site = std::source_location::current());

  ErrorKind kind() const { return kind_; }
  abi::Result code() const { return code_; }
  const std::string& code_name() const { return code_name_; }  ///< "CUDA_ERROR_INVALID_VALUE"
  const std::string& call() const { return call_; }  ///< "cuMemAlloc (buffer of 4096 bytes)"
  const std::source_location& site() const { return site_; }  ///< where barline made the call

  /// True when the machine lacks a usable driver or device, as opposed to a call that went wrong.
  bool means_no_device() const { return kind_ != ErrorKind::Call; }

 private:
  ErrorKind kind_;
  abi::Result code_;
  std::string code_name_;
  std::string call_;
  std::source_location site_;
};

}  // namespace barline::driver
