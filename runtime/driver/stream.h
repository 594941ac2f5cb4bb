// SPDX-License-Identifier: Apache-2.0
// Streams and events. A caller's own stream is an abi::StreamHandle (a CUstream, cudaStream_t or
// torch's cuda_stream cast to it); every call that orders work takes the handle.
#pragma once
#include "runtime/driver/device.h"

namespace barline::driver {

class Event {
 public:
  /// Timing events cost a little more on the device; ordering needs none.
  explicit Event(const Device& device, bool timing = true);
  ~Event();
  Event(Event&& other) noexcept;
  Event& operator=(Event&& other) noexcept;

  abi::EventHandle handle() const { return handle_; }
  void record(abi::StreamHandle stream) const;
  void synchronize() const;
  /// Microseconds from `start` to this event; both must be done.
  double microseconds_since(const Event& start) const;

 private:
  void destroy() noexcept;
  Device device_;
  abi::EventHandle handle_ = nullptr;
};

class Stream {
 public:
  /// A new stream that does not wait for the legacy default stream.
  explicit Stream(const Device& device);
  ~Stream();
  Stream(Stream&& other) noexcept;
  Stream& operator=(Stream&& other) noexcept;

  abi::StreamHandle handle() const { return handle_; }
  const Device& device() const { return device_; }
  void synchronize() const;
  void wait(const Event& event) const;

 private:
  void destroy() noexcept;
  Device device_;
  abi::StreamHandle handle_ = nullptr;
};

/// True while work on `stream` is being captured into a graph.
bool is_capturing(const Device& device, abi::StreamHandle stream);

/// Lets this thread load and allocate while another thread captures, for a scope.
class RelaxedCapture {
 public:
  explicit RelaxedCapture(const Device& device);
  ~RelaxedCapture();
  RelaxedCapture(const RelaxedCapture&) = delete;
  RelaxedCapture& operator=(const RelaxedCapture&) = delete;

 private:
  const abi::Api& api_;
  abi::CaptureMode previous_;
};

}  // namespace barline::driver
