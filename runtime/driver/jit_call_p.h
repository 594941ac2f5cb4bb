// SPDX-License-Identifier: Apache-2.0
// The options of a compile by the driver, with the log buffers that they point into.
#pragma once
#include <array>
#include <cstddef>
#include <string>

#include "runtime/driver/cuda_abi.h"

namespace barline::driver {

class JitCall {
 public:
  JitCall() : info_(log_bytes, '\0'), error_(log_bytes, '\0') {
    add(abi::JitOption::InfoLogBuffer, info_.data());
    add(abi::JitOption::InfoLogBufferBytes, log_bytes);
    add(abi::JitOption::ErrorLogBuffer, error_.data());
    add(abi::JitOption::ErrorLogBufferBytes, log_bytes);
    add(abi::JitOption::LogVerbose, 1);
  }
  JitCall(const JitCall&) = delete;
  JitCall& operator=(const JitCall&) = delete;

  void add(abi::JitOption option, void* value) {
    options_.at(count_) = option;
    values_.at(count_++) = value;
  }
  void add(abi::JitOption option, std::size_t value) {
    add(option, reinterpret_cast<void*>(value));
  }

  abi::JitOption* options() { return options_.data(); }
  void** values() { return values_.data(); }
  unsigned count() const { return count_; }
  /// What the compiler said; errors first.
  std::string log() const {
    const std::string error = error_.c_str();
    const std::string info = info_.c_str();
    return error.empty() || info.empty() ? error + info : error + "\n" + info;
  }

 private:
  static constexpr std::size_t log_bytes = 64 * 1024;
  std::string info_, error_;
  std::array<abi::JitOption, 8> options_{};
  std::array<void*, 8> values_{};
  unsigned count_ = 0;
};

}  // namespace barline::driver
