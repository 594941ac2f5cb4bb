// SPDX-License-Identifier: Apache-2.0
// A run of a library kernel on a GPU, where there is one.
#pragma once

#include <optional>

#include "problem.h"
#include "runtime/driver/buffer.h"
#include "runtime/driver/graph.h"
#include "runtime/jit/runtime.h"

namespace barline::test {

/// The first GPU; prints SKIP and gives nothing where there is none.
std::optional<driver::Device> gpu();

/// The problem's tensors on the device, to be run again and again.
class DeviceRun {
 public:
  DeviceRun(const Problem& p, ir::Elem type, jit::Runtime& runtime, const driver::Device& device);

  /// The tensors that the kernel writes, after a run; outputs start poisoned, what it reads and
  /// writes starts as the problem has it.
  Tensors run();
  /// The same after one more launch on what the last one left.
  Tensors again();

  /// The launch as a graph; `meanwhile` runs while the stream captures.
  driver::Graph capture(const driver::Stream& stream, const std::function<void()>& meanwhile);
  /// Puts back what the kernel writes, on no stream.
  void reset();
  /// The tensors that the kernel writes, as they are.
  Tensors written() const;

 private:
  driver::Device device_;
  jit::Prepared kernel_;
  Tensors written_;  ///< as they are before a run
  std::map<std::string, driver::Buffer> buffers_;
  std::vector<jit::Argument> arguments_;
  std::vector<std::int64_t> sizes_;
};

/// All tensors of the problem after one such run.
Tensors on_device(const Problem& p, ir::Elem type, jit::Runtime& runtime,
                  const driver::Device& device);

}  // namespace barline::test
