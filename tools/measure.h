// SPDX-License-Identifier: Apache-2.0
// Times on a GPU: CUDA graphs of launches that rotate through copies of the operands past the L2
// cache, medians over replays. Nothing of the device's settings is touched.
#pragma once

#include "tools/execute.h"

namespace barline::tools {

struct MeasureOptions {
  int replays = 50;                       ///< of the graph, each timed; the median counts
  std::size_t rotate_bytes = 256u << 20;  ///< operands of all copies together, at least
  int min_launches = 20;                  ///< in the graph
};

struct Timing {
  double median_us = 0;  ///< of one launch, over the replays
  double min_us = 0, max_us = 0;
  int copies = 0, launches = 0;
};

/// Copies of operands of so many bytes that together leave the L2 cache.
int rotation(std::size_t operand_bytes, const MeasureOptions& options);
/// Bytes of all tensors of a problem.
std::size_t operand_bytes(const Problem& problem);

/// Times one launch of the problem.
Timing time_launches(const driver::Device& device, const Problem& problem,
                     const jit::Prepared& prepared, const MeasureOptions& options);
/// The same on copies that are there already.
Timing time_launches(const driver::Device& device, const DeviceProblem& operands,
                     const jit::Prepared& prepared, const MeasureOptions& options);

/// Times `record` (which enqueues `launches` launches on a stream), captured as a graph.
Timing time_graph(const driver::Device& device, int launches, const MeasureOptions& options,
                  const std::function<void(const driver::Stream&)>& record);

/// The device's copy rate in GB/s, bytes read and written both counted: a plain kernel of 16-byte
/// loads and stores over buffers of `bytes`, in the same harness. (The driver's own copy, as a
/// graph node, is a third slower and would flatter every row.)
double copy_rate(const driver::Device& device, jit::Runtime& runtime, std::size_t bytes,
                 const MeasureOptions& options);

}  // namespace barline::tools
