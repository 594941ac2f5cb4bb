// SPDX-License-Identifier: Apache-2.0
// The machine that runs a program: warps of 32 lanes over a register file, blocks with shared
// memory, and a worker (one host thread) that holds the resident blocks.
#pragma once

#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "ir/tensor.h"
#include "verify/interp/clock.h"
#include "verify/interp/finding.h"
#include "verify/interp/flight.h"
#include "verify/interp/gate.h"
#include "verify/interp/program.h"
#include "verify/interp/shadow.h"
#include "verify/interp/simulate.h"
#include "verify/interp/team_waits.h"
#include "verify/interp/warpgroup.h"

namespace barline::verify::sim {

struct Block;
class Worker;

/// From AtRegisters on a warp waits for what some of the other warps do, not for its whole block.
enum class WarpState : std::uint8_t {
  Ready,
  AtBarrier,
  AtReduction,
  Done,
  AtRegisters,
  AtCluster,
  AtNamed,
  AtGate
};

/// A construct that a warp is inside of: what to restore, and where it stands for program order.
struct Frame {
  Mask saved = 0;
  std::uint32_t pc = 0;
  std::uint64_t trip = 0;
};

/// A question whether an access is known, and its answer.
struct OrderMemo {
  SharedClock clock;
  std::uint32_t warp = 0, count = 0;
  Mask who = 0;
  std::uint32_t gate = 0;
  bool known = false;
};

struct Warp {
  std::byte* registers = nullptr;
  Mask mask = 0;
  std::uint32_t pc = 0;
  bool yield = false;  ///< ends the quantum
  WarpState state = WarpState::Ready;
  Mask full = 0;            ///< lanes that exist
  std::uint32_t id = 0;     ///< over all blocks: block * warps + index
  std::uint32_t index = 0;  ///< in the block
  std::uint32_t floor = 0;  ///< accesses of this warp up to this count happened before
  std::uint32_t count[lanes] = {};
  std::uint32_t spin_depth = 0;  ///< loops around it that wait on memory
  std::uint64_t spins = 0;       ///< trips of those loops
  Block* block = nullptr;
  Worker* worker = nullptr;
  std::vector<Frame> frames;
  LaneSync sync[lanes];
  Flights flights;
  mutable OrderMemo order_memo[8];  ///< by what the access was
  const Gate* gate = nullptr;    ///< AtGate: for which it waits
  std::uint32_t barrier_id = 0;  ///< AtNamed
  ProductsInFlight products;
  std::int32_t register_count = 0;  ///< of a thread
  std::uint32_t cluster_arrivals = 0, cluster_waits = 0, cluster_merges = 0;
  Mask awaited_previous = 0;  ///< lanes that came to await_previous

  template <class T>
  T* at(Operand o, std::uint32_t element = 0) const {
    return reinterpret_cast<T*>(registers + o.at) + std::size_t{o.step} * element * lanes;
  }
};

struct Block {
  std::int64_t linear = 0;
  std::int64_t at[3] = {0, 0, 0};
  std::uint32_t first_warp = 0;  ///< id of warp 0
  std::uint32_t count = 1;       ///< synchronisations so far
  std::uint32_t floor = 0;       ///< accesses of this block up to this count happened before
  int stopped = 0;               ///< warps that wait or are done
  int done = 0;
  bool has_clocks = false;  ///< a lane knows more than its floors
  std::vector<Warp> warps;
  std::vector<std::byte> shared;
  std::vector<std::int64_t> slot_offsets;
  std::vector<Shadow> shadows;  ///< one a slot; its copies follow each other
  SyncMap sync;
  std::vector<std::byte> register_file;
  std::vector<Gate> gates;                ///< the copies of each, one after the other
  std::vector<std::uint32_t> first_gate;  ///< of each slot
  NamedBarrier named[named_barriers];
  GroupLogs product_groups;         ///< of each warpgroup
  std::int32_t free_registers = 0;  ///< of the block's pool
  std::shared_ptr<Cluster> cluster;
  std::uint32_t rank = 0;                  ///< in the cluster
  std::vector<RemoteStore> remote_stores;  ///< by other blocks, to this one's slots
  bool ended = false;
};

/// A tensor of the launch, once even if several parameters name it.
struct Memory {
  ir::Tensor* tensor = nullptr;
  std::int64_t count = 0;
  bool written = false;  ///< some parameter may write it
  bool writes_only = true;
};

/// What all workers share.
struct Machine {
  const Program* program = nullptr;
  const SimOptions* options = nullptr;
  std::vector<Memory> memories;
  std::vector<std::int64_t> block_order;            ///< first blocks of clusters
  std::atomic<std::int64_t> next{0};                ///< position in block_order
  std::atomic<std::int64_t> refused_at{INT64_MAX};  ///< lowest position with a finding
  std::mutex print_mutex;
};

/// Thrown by an instruction that finds something.
struct Halt {
  Finding finding;
};

struct View;

/// One host thread's part of the run.
class Worker {
 public:
  explicit Worker(Machine& m, std::uint64_t seed);
  /// Runs blocks until none are left or a finding stands at an earlier block.
  void run();
  /// A warp that waited goes on.
  void wake(Warp& w);
  /// The warp's block ends where it stands.
  void leave(Warp& w);
  /// Warp instructions so far: what clocks of the simulated device show.
  std::int64_t now() const { return counts.warp_steps + steps_; }

  Machine& machine;
  const Program& program;
  std::vector<Shadow> shadows;  ///< one a memory; empty cells where nothing is written
  SyncMap sync;                 ///< of tensors
  SimCounts counts;
  std::optional<Finding> finding;
  std::int64_t finding_position = INT64_MAX;
  bool progress = false;       ///< memory changed since the scheduler last looked
  bool reverse_lanes = false;  ///< atomics of a warp go from lane 31 down

 private:
  struct Resident {
    std::unique_ptr<Block> block;
    std::int64_t position = -1;  ///< in block_order; -1: free
  };
  std::size_t blocks_a_cluster() const;
  void start_cluster(std::size_t first);
  Warp* choose();
  void run_quantum(Warp& w);
  void after_quantum(Warp& w);
  void release(Block& b);
  void end_warp(Warp& w);
  void retire(Block& b);
  void refuse_stuck(Block& b);
  static int tells(const Warp& w);
  void refuse_deadlock();
  void watch_progress(const Warp& w, std::uint64_t spins_before);
  std::uint64_t random();
  std::int64_t position_of(const Block& b) const;

  std::vector<Resident> residents_;
  std::vector<Warp*> ready_;
  std::size_t cursor_ = 0;
  std::int64_t steps_ = 0;  ///< of the quantum
  std::uint64_t idle_spins_ = 0;
  std::uint64_t random_state_;
};

/// Calls visit(lane) for each lane of the mask, lowest first.
template <class Visit>
inline void for_each_lane(Mask mask, Visit&& visit) {
  for (; mask; mask &= mask - 1) visit(std::countr_zero(mask));
}

// ---- starting blocks and warps (block.cpp)
// ---------------------------------------------------------

std::unique_ptr<Block> make_block(Worker& worker);
/// `count`: what the block's synchronisations are counted from.
void reset_block(Block& b, Worker& worker, std::uint32_t count, std::int64_t linear);
/// Completes a barrier (floors rise, clocks merge) or a block reduction (values are exchanged).
void complete_barrier(Block& b);
void complete_reduction(Block& b);

// ---- findings (report.cpp)
// -------------------------------------------------------------------------

Site site_of(const Program& p, std::uint32_t pc, std::uint32_t warp, int lane);
/// A finding at the instruction that `w` executes.
Finding finding_at(const Warp& w, int lane, FindingKind kind, std::string message);
[[noreturn]] void halt(const Warp& w, int lane, FindingKind kind, std::string message);
/// A convergent op needs every lane of the warp that exists; halts where one is missing.
void require_whole_warp(const Warp& w);
/// Text of an operation: mnemonic and root.
std::string op_text(const ir::Kernel& k, const ir::Operation& op);

}  // namespace barline::verify::sim
