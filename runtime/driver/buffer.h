// SPDX-License-Identifier: Apache-2.0
// Device memory owned by a scope, with copies in and out.
#pragma once
#include <cstddef>
#include <span>
#include <vector>

#include "runtime/driver/stream.h"

namespace barline::driver {

/// `bytes` of device memory, at least 256-byte aligned. Zero bytes is a valid, null buffer.
class Buffer {
 public:
  Buffer(const Device& device, std::size_t bytes);
  ~Buffer();
  Buffer(Buffer&& other) noexcept;
  Buffer& operator=(Buffer&& other) noexcept;

  abi::DevicePointer pointer() const { return pointer_; }
  std::size_t bytes() const { return bytes_; }

  /// Copies and waits. Throws std::out_of_range when the range leaves the buffer.
  void copy_from_host(std::span<const std::byte> from, std::size_t offset = 0);
  void copy_to_host(std::span<std::byte> to, std::size_t offset = 0) const;

  /// Ordered on `stream`; the host memory must stay until the copy is done.
  void copy_from_host_async(std::span<const std::byte> from, const Stream& stream,
                            std::size_t offset = 0);
  void copy_to_host_async(std::span<std::byte> to, const Stream& stream,
                          std::size_t offset = 0) const;

  /// Sets every byte, ordered on `stream` (the legacy default stream when absent).
  void fill(unsigned char value, abi::StreamHandle stream = nullptr);
  /// Sets every 32-bit word; bytes() must be a multiple of four.
  void fill_words(unsigned value, abi::StreamHandle stream = nullptr);

  template <typename T>
  void upload(std::span<const T> from) {
    copy_from_host(std::as_bytes(from));
  }
  template <typename T>
  std::vector<T> download(std::size_t count) const {
    std::vector<T> out(count);
    copy_to_host(std::as_writable_bytes(std::span(out)));
    return out;
  }

 private:
  void check_range(std::size_t offset, std::size_t bytes) const;
  void free() noexcept;

  Device device_;
  abi::DevicePointer pointer_ = 0;
  std::size_t bytes_ = 0;
};

}  // namespace barline::driver
