// SPDX-License-Identifier: Apache-2.0
// CUDA graphs by stream capture.
#pragma once
#include <cstddef>
#include <functional>

#include "runtime/driver/stream.h"

namespace barline::driver {

/// An instantiated graph.
class Graph {
 public:
  /// Captures what `record` puts on `stream` and instantiates it. If `record` throws, the capture
  /// is ended and the exception passes on.
  static Graph capture(const Stream& stream, const std::function<void(const Stream&)>& record,
                       abi::CaptureMode mode = abi::CaptureMode::ThreadLocal);
  ~Graph();
  Graph(Graph&& other) noexcept;
  Graph& operator=(Graph&& other) noexcept;

  std::size_t node_count() const { return node_count_; }
  void upload(const Stream& stream) const;
  void launch(const Stream& stream) const;

 private:
  explicit Graph(const Device& device) : device_(device) {}
  void destroy() noexcept;

  Device device_;
  abi::GraphExecHandle exec_ = nullptr;
  std::size_t node_count_ = 0;
};

}  // namespace barline::driver
