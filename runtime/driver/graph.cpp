// SPDX-License-Identifier: Apache-2.0
// Stream capture into an instantiated graph.
#include "runtime/driver/graph.h"

#include <utility>

namespace barline::driver {
namespace {

/// Ends the capture when `record` throws, so that the stream is usable afterwards.
class CaptureGuard {
 public:
  CaptureGuard(const Stream& stream, abi::CaptureMode mode) : stream_(stream) {
    const Device& device = stream.device();
    device.driver().check(device.api().cuStreamBeginCapture(stream.handle(), mode),
                          "cuStreamBeginCapture");
  }
  ~CaptureGuard() {
    if (ended_) return;
    abi::GraphHandle graph = nullptr;
    const abi::Api& api = stream_.device().api();
    if (api.cuStreamEndCapture(stream_.handle(), &graph) == abi::Result::Success &&
        graph != nullptr) {
      api.cuGraphDestroy(graph);
    }
  }
  abi::GraphHandle end() {
    ended_ = true;
    abi::GraphHandle graph = nullptr;
    const Device& device = stream_.device();
    device.driver().check(device.api().cuStreamEndCapture(stream_.handle(), &graph),
                          "cuStreamEndCapture");
    return graph;
  }

 private:
  const Stream& stream_;
  bool ended_ = false;
};

}  // namespace

Graph Graph::capture(const Stream& stream, const std::function<void(const Stream&)>& record,
                     abi::CaptureMode mode) {
  const Device& device = stream.device();
  const abi::Api& api = device.api();
  ContextScope scope(device);
  CaptureGuard guard(stream, mode);
  record(stream);
  const abi::GraphHandle captured = guard.end();

  Graph graph(device);
  abi::Result result = api.cuGraphGetNodes(captured, nullptr, &graph.node_count_);
  const char* call = "cuGraphGetNodes";
  if (result == abi::Result::Success) {
    result = api.cuGraphInstantiateWithFlags(&graph.exec_, captured, 0);
    call = "cuGraphInstantiateWithFlags";
  }
  api.cuGraphDestroy(captured);
  device.driver().check(result, call);
  return graph;
}

Graph::~Graph() { destroy(); }

void Graph::destroy() noexcept {
  if (exec_ != nullptr) device_.api().cuGraphExecDestroy(exec_);
  exec_ = nullptr;
}

Graph::Graph(Graph&& other) noexcept
    : device_(other.device_),
      exec_(std::exchange(other.exec_, nullptr)),
      node_count_(other.node_count_) {}

Graph& Graph::operator=(Graph&& other) noexcept {
  if (this != &other) {
    destroy();
    device_ = other.device_;
    exec_ = std::exchange(other.exec_, nullptr);
    node_count_ = other.node_count_;
  }
  return *this;
}

void Graph::upload(const Stream& stream) const {
  device_.driver().check(device_.api().cuGraphUpload(exec_, stream.handle()), "cuGraphUpload");
}

void Graph::launch(const Stream& stream) const {
  device_.driver().check(device_.api().cuGraphLaunch(exec_, stream.handle()), "cuGraphLaunch");
}

}  // namespace barline::driver
