// SPDX-License-Identifier: Apache-2.0
// Device memory: allocation and copies, each range checked on the host first.
#include "runtime/driver/buffer.h"

#include <fmt/format.h>

#include <stdexcept>
#include <utility>

namespace barline::driver {

Buffer::Buffer(const Device& device, std::size_t bytes) : device_(device), bytes_(bytes) {
  if (bytes == 0) return;
  ContextScope scope(device_);
  device_.driver().check(device_.api().cuMemAlloc(&pointer_, bytes), "cuMemAlloc",
                         fmt::format("{} bytes", bytes));
}

Buffer::~Buffer() { free(); }

void Buffer::free() noexcept {
  if (pointer_ == 0) return;
  // Freeing needs the context; without one (the driver is shutting down) there is nothing to free.
  abi::Context popped = nullptr;
  if (device_.api().cuCtxPushCurrent(device_.context()) == abi::Result::Success) {
    device_.api().cuMemFree(pointer_);
    device_.api().cuCtxPopCurrent(&popped);
  }
  pointer_ = 0;
}

Buffer::Buffer(Buffer&& other) noexcept
    : device_(other.device_),
      pointer_(std::exchange(other.pointer_, 0)),
      bytes_(std::exchange(other.bytes_, 0)) {}

Buffer& Buffer::operator=(Buffer&& other) noexcept {
  if (this != &other) {
    free();
    device_ = other.device_;
    pointer_ = std::exchange(other.pointer_, 0);
    bytes_ = std::exchange(other.bytes_, 0);
  }
  return *this;
}

void Buffer::check_range(std::size_t offset, std::size_t bytes) const {
  if (offset <= bytes_ && bytes <= bytes_ - offset) return;
  throw std::out_of_range(fmt::format(
      "copy of {} bytes at offset {} leaves a device buffer of {} bytes", bytes, offset, bytes_));
}

void Buffer::copy_from_host(std::span<const std::byte> from, std::size_t offset) {
  check_range(offset, from.size());
  if (from.empty()) return;
  ContextScope scope(device_);
  device_.driver().check(device_.api().cuMemcpyHtoD(pointer_ + offset, from.data(), from.size()),
                         "cuMemcpyHtoD", fmt::format("{} bytes", from.size()));
  // From pageable memory the driver returns once the bytes are staged; only its own stream waits
  // for the rest of the way.
  device_.driver().check(device_.api().cuStreamSynchronize(nullptr), "cuStreamSynchronize",
                         fmt::format("after a copy of {} bytes", from.size()));
}

void Buffer::copy_to_host(std::span<std::byte> to, std::size_t offset) const {
  check_range(offset, to.size());
  if (to.empty()) return;
  ContextScope scope(device_);
  device_.driver().check(device_.api().cuMemcpyDtoH(to.data(), pointer_ + offset, to.size()),
                         "cuMemcpyDtoH", fmt::format("{} bytes", to.size()));
}

void Buffer::copy_from_host_async(std::span<const std::byte> from, const Stream& stream,
                                  std::size_t offset) {
  check_range(offset, from.size());
  if (from.empty()) return;
  device_.driver().check(
      device_.api().cuMemcpyHtoDAsync(pointer_ + offset, from.data(), from.size(), stream.handle()),
      "cuMemcpyHtoDAsync", fmt::format("{} bytes", from.size()));
}

void Buffer::copy_to_host_async(std::span<std::byte> to, const Stream& stream,
                                std::size_t offset) const {
  check_range(offset, to.size());
  if (to.empty()) return;
  device_.driver().check(
      device_.api().cuMemcpyDtoHAsync(to.data(), pointer_ + offset, to.size(), stream.handle()),
      "cuMemcpyDtoHAsync", fmt::format("{} bytes", to.size()));
}

void Buffer::fill(unsigned char value, abi::StreamHandle stream) {
  if (bytes_ == 0) return;
  ContextScope scope(device_);
  device_.driver().check(device_.api().cuMemsetD8Async(pointer_, value, bytes_, stream),
                         "cuMemsetD8Async", fmt::format("{} bytes", bytes_));
}

void Buffer::fill_words(unsigned value, abi::StreamHandle stream) {
  if (bytes_ % 4 != 0) {
    throw std::invalid_argument(
        fmt::format("a buffer of {} bytes is no whole number of words", bytes_));
  }
  if (bytes_ == 0) return;
  ContextScope scope(device_);
  device_.driver().check(device_.api().cuMemsetD32Async(pointer_, value, bytes_ / 4, stream),
                         "cuMemsetD32Async", fmt::format("{} bytes", bytes_));
}

}  // namespace barline::driver
