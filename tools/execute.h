// SPDX-License-Identifier: Apache-2.0
// Runs a problem once, on the CPU simulator or on a GPU, and times it on a GPU.
#pragma once

#include "runtime/driver/buffer.h"
#include "runtime/driver/device.h"
#include "runtime/driver/stream.h"
#include "runtime/jit/runtime.h"
#include "runtime/launch/maps.h"
#include "tools/problem.h"
#include "verify/interp/simulate.h"

namespace barline::tools {

struct SimRun {
  std::map<std::string, ir::Tensor> tensors;  ///< after the run
  verify::SimReport report;
};
/// Runs the kernel after all passes.
SimRun run_on_simulator(const Problem& problem, const verify::SimOptions& options);

/// The problem's tensors on a device, `copies` times over (so that a rotation leaves the L2).
class DeviceProblem {
 public:
  DeviceProblem(const driver::Device& device, const Problem& problem, int copies);

  int copies() const { return static_cast<int>(buffers_.size()); }
  /// Enqueues one launch on copy `i`.
  void launch(const jit::Prepared& prepared, driver::abi::StreamHandle stream, int i) const;
  /// The arguments of copy `i` as the driver takes them: one pointer each, then sizes, then tensor
  /// maps. They stand in this object, until the next call.
  std::vector<void*> raw_arguments(const jit::Prepared& prepared, int i);
  std::map<std::string, ir::Tensor> download(int i) const;
  /// One tensor of copy `i`.
  ir::Tensor download(int i, const std::string& name) const;
  /// Puts the problem's input and poison back.
  void reset(int i);
  /// The same of one tensor.
  void reset(int i, const std::string& name);

 private:
  std::size_t buffer_of(const std::string& tensor) const;

  const Problem& problem_;
  std::vector<std::vector<driver::Buffer>> buffers_;  ///< by copy, in order of tensor parameters
  std::vector<std::vector<jit::Argument>> arguments_;
  std::vector<std::int64_t> sizes_;
  std::vector<std::int32_t> extents_;  ///< sizes_ as the kernel takes them
  runtime::Maps maps_;
};

/// What a command's --device takes besides cuda:N.
enum class Elsewhere { Nowhere, Simulator };
/// Loads the driver of the options and opens "cuda:N". Throws MissingError or UsageError.
driver::Device open_device(const Context& context, const std::string& name,
                           Elsewhere elsewhere = Elsewhere::Nowhere);

}  // namespace barline::tools
