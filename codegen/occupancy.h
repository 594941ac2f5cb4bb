// SPDX-License-Identifier: Apache-2.0
// Theoretical occupancy: how many blocks fit an SM beside each other, from registers, shared memory
// and threads. The limits are those of NVIDIA's table of compute capabilities.
#pragma once

#include <optional>
#include <string_view>

namespace barline::codegen {

/// Per-SM limits of one target; bytes and counts.
struct SmLimits {
  int sm = 0;             ///< 90 for sm_90a
  int warps = 0;          ///< resident warps
  int blocks = 0;         ///< resident blocks
  int registers = 65536;  ///< 32-bit registers of the SM
  int registers_per_block = 65536;
  int registers_per_thread = 255;
  int register_granule = 256;  ///< registers are allocated to a warp in these
  int partitions = 4;          ///< register files (sub-cores); a warp lives in one
  int smem = 0;                ///< shared memory of the SM
  int smem_per_block = 0;      ///< with the opt-in attribute, reserved bytes not counted
  int smem_granule = 128;
  int smem_reserved = 1024;  ///< taken by the system for each block
  int threads_per_block = 1024;
};

/// Limits of "sm_80", "sm_90a", ... or nullopt for a target that the table does not have.
std::optional<SmLimits> sm_limits(std::string_view target);

struct KernelUse {
  int threads = 0;    ///< threads a block
  int registers = 0;  ///< registers a thread
  int smem = 0;       ///< static + dynamic shared memory a block
};

enum class Limiter { Warps, Blocks, Registers, SharedMemory, DoesNotFit };
std::string_view limiter_name(Limiter limiter);

struct Occupancy {
  int blocks_per_sm = 0;
  int warps_per_sm = 0;
  double fraction = 0;                    ///< warps_per_sm over the SM's warps
  Limiter limiter = Limiter::DoesNotFit;  ///< on a tie the first of the enum
};

/// blocks_per_sm is 0 and the limiter DoesNotFit when not even one block can run.
Occupancy occupancy(const SmLimits& limits, const KernelUse& use);

}  // namespace barline::codegen
