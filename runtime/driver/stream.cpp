// SPDX-License-Identifier: Apache-2.0
// Streams, events and the questions about capture. Destructors ignore what the driver answers: at
// process exit it may already be gone.
#include "runtime/driver/stream.h"

#include <utility>

namespace barline::driver {

Event::Event(const Device& device, bool timing) : device_(device) {
  ContextScope scope(device_);
  const unsigned flags = timing ? abi::event_default : abi::event_disable_timing;
  device_.driver().check(device_.api().cuEventCreate(&handle_, flags), "cuEventCreate");
}

Event::~Event() { destroy(); }

void Event::destroy() noexcept {
  if (handle_ != nullptr) device_.api().cuEventDestroy(handle_);
  handle_ = nullptr;
}

Event::Event(Event&& other) noexcept
    : device_(other.device_), handle_(std::exchange(other.handle_, nullptr)) {}

Event& Event::operator=(Event&& other) noexcept {
  if (this != &other) {
    destroy();
    device_ = other.device_;
    handle_ = std::exchange(other.handle_, nullptr);
  }
  return *this;
}

void Event::record(abi::StreamHandle stream) const {
  ContextScope scope(device_);
  device_.driver().check(device_.api().cuEventRecord(handle_, stream), "cuEventRecord");
}

void Event::synchronize() const {
  device_.driver().check(device_.api().cuEventSynchronize(handle_), "cuEventSynchronize");
}

double Event::microseconds_since(const Event& start) const {
  float milliseconds = 0;
  device_.driver().check(device_.api().cuEventElapsedTime(&milliseconds, start.handle_, handle_),
                         "cuEventElapsedTime");
  return double{milliseconds} * 1000.0;
}

Stream::Stream(const Device& device) : device_(device) {
  ContextScope scope(device_);
  device_.driver().check(device_.api().cuStreamCreate(&handle_, abi::stream_non_blocking),
                         "cuStreamCreate");
}

Stream::~Stream() { destroy(); }

void Stream::destroy() noexcept {
  if (handle_ != nullptr) device_.api().cuStreamDestroy(handle_);
  handle_ = nullptr;
}

Stream::Stream(Stream&& other) noexcept
    : device_(other.device_), handle_(std::exchange(other.handle_, nullptr)) {}

Stream& Stream::operator=(Stream&& other) noexcept {
  if (this != &other) {
    destroy();
    device_ = other.device_;
    handle_ = std::exchange(other.handle_, nullptr);
  }
  return *this;
}

void Stream::synchronize() const {
  ContextScope scope(device_);
  device_.driver().check(device_.api().cuStreamSynchronize(handle_), "cuStreamSynchronize");
}

void Stream::wait(const Event& event) const {
  device_.driver().check(device_.api().cuStreamWaitEvent(handle_, event.handle(), 0),
                         "cuStreamWaitEvent");
}

bool is_capturing(const Device& device, abi::StreamHandle stream) {
  ContextScope scope(device);
  auto status = abi::CaptureStatus::None;
  device.driver().check(device.api().cuStreamIsCapturing(stream, &status), "cuStreamIsCapturing");
  return status != abi::CaptureStatus::None;
}

RelaxedCapture::RelaxedCapture(const Device& device)
    : api_(device.api()), previous_(abi::CaptureMode::Relaxed) {
  device.driver().check(api_.cuThreadExchangeStreamCaptureMode(&previous_),
                        "cuThreadExchangeStreamCaptureMode");
}

RelaxedCapture::~RelaxedCapture() { api_.cuThreadExchangeStreamCaptureMode(&previous_); }

}  // namespace barline::driver
