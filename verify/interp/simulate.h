// SPDX-License-Identifier: Apache-2.0
// The CPU simulator: runs a kernel of the IR, at any stage of the pipeline, with the language's
// exact arithmetic, and refuses races, bad accesses, divergent barriers and deadlocks.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ir/kernel.h"
#include "ir/tensor.h"
#include "verify/interp/finding.h"

namespace barline::verify {

/// One kernel argument: a tensor (read and written in place) or a scalar.
struct SimArgument {
  ir::Tensor* tensor = nullptr;
  ir::Scalar scalar;

  SimArgument(ir::Tensor* t) : tensor(t) {}        // NOLINT: a tensor is an argument
  SimArgument(ir::Tensor& t) : tensor(&t) {}       // NOLINT
  SimArgument(const ir::Scalar& s) : scalar(s) {}  // NOLINT
};

/// Which runnable warp, and which block, goes next.
enum class WarpOrder : std::uint8_t { RoundRobin, Reverse, Random };

struct SimOptions {
  WarpOrder order = WarpOrder::RoundRobin;
  std::uint64_t seed = 1;  ///< of Random
  int cores = 2;           ///< host threads over blocks; kernels whose blocks talk take one
  bool detect_races = true;
  bool poison = true;  ///< Out tensors start as 0xA5; unwritten shared reads are findings
  /// False for IR in which place_syncs has not run: slots are then accessed in program order over
  /// the block, op by op, and their accesses do not race.
  bool syncs_placed = true;
  bool record_writers = false;  ///< fill SimReport::writers
  int persistent_blocks = 3;    ///< blocks of a kernel whose blocks take tile after tile
  std::int64_t max_steps = std::int64_t{1} << 36;  ///< warp instructions of a host thread
  /// An op of the kernel: a block whose first warp comes to it leaves, wherever its others are.
  const ir::Operation* leave_before = nullptr;
  std::function<void(std::string_view)> print{};   ///< takes the lines of print; none: dropped
};

struct SimCounts {
  std::int64_t lane_ops = 0;    ///< ops times the lanes (and tile elements) that execute them
  std::int64_t warp_steps = 0;  ///< instructions that warps executed
  std::int64_t blocks = 0;
  std::int64_t barriers = 0;  ///< completed block barriers
};

struct SimReport {
  std::optional<Finding> finding;
  SimCounts counts;
  /// With record_writers: for each parameter, the thread (block * block_threads + rank) that last
  /// wrote each element, -1 where none did; empty for scalars and In tensors.
  std::vector<std::vector<std::int64_t>> writers;
  /// An op with the trait Approx ran: its stand-in is the rounded double result, so results are
  /// compared with the device's within a bound only.
  bool approximate = false;
  bool clean() const { return !finding; }
};

/// Runs `k` on the arguments, one a parameter in order. `axis_sizes` holds the sizes of the axes
/// that are not bound, in order of axes. Throws ir::Error (bad-call, bad-dim, type-mismatch) if the
/// arguments do not fit the kernel. Precondition: ir::check(k) passes.
SimReport simulate(const ir::Kernel& k, std::span<const SimArgument> arguments,
                   std::span<const std::int64_t> axis_sizes = {}, const SimOptions& options = {});

}  // namespace barline::verify
