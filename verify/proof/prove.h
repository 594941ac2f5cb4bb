// SPDX-License-Identifier: Apache-2.0
// L1, the static proof: decides race freedom, barrier divergence, initialisation, bounds and
// alignment of a thread-level kernel by replaying every thread of a block, op by op, on the integer
// values that follow from ids, sizes, constants and loop variables. What follows from data is
// Unknown; where it matters the verdict is UNKNOWN, never a guess.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "ir/kernel.h"
#include "verify/verdict.h"

namespace barline::verify {

/// What a finding is about.
enum class Property : std::uint8_t {
  SharedRace,      ///< two threads, one shared element, no barrier between, one of them writes
  Divergence,      ///< a barrier, warp_sync, shuffle or vote that not all threads of its team reach
  Uninitialised,   ///< a shared element is read that no thread wrote
  Stale,           ///< a slot's copy is read as one use, but was filled for another
  SharedBounds,    ///< an index past a slot's extent
  Alignment,       ///< a vector access at an address that its size does not divide
  GlobalBounds,    ///< an index past a tensor's shape
  GlobalRace,      ///< two threads of a block or of two blocks, one global element, one writes
  Arithmetic,      ///< an integer division by zero
  Replay,          ///< the replay could not be carried to its end
  Deadlock,        ///< warps that wait for each other for ever
  Gates,           ///< a gate's phase that not exactly its arrivals and bytes complete, or a wait
                   ///< that another phase of the same parity satisfies
  ProxyOrder,      ///< asynchronous access of what lanes wrote, no proxy_fence between
  Warpgroup,       ///< wgmma without its fence, or accumulators used while in flight
  Registers,       ///< more registers set than the block has
  Cluster,         ///< a block's memory reached before it runs or after it may have ended
  Meeting,         ///< counters of blocks that meet, used otherwise than the protocol has it
  DependentLaunch  ///< touching what the grid before uses without waiting for it
};
std::string_view name(Property p);

/// An op as people read it.
struct OpText {
  ir::Loc loc;
  std::string text;  ///< its line in the IR's text, regions left out
  bool operator==(const OpText&) const = default;
};

/// One thing that is wrong (Refuted, with a witness) or could not be decided (Unknown).
struct ProofFinding {
  Property property{};
  Verdict verdict = Verdict::Unknown;
  std::string message;        ///< one sentence: what, where, for which sizes
  OpText ops[2];              ///< the op, or the two that meet; the second may be empty
  int threads[2] = {-1, -1};  ///< thread ranks of the witness; -1: none
  int blocks[2] = {-1, -1};   ///< linear block indices of the witness; -1: none
  std::string buffer;         ///< slot or tensor
  std::int64_t element = -1;  ///< within one copy of the slot, or within the tensor
  std::int64_t address = -1;  ///< byte offset in the block's shared memory, or in the tensor
  std::string sizes;          ///< the enumerated case: "rows=2 d=3", decisions included
};

/// What an access costs, counted exactly over the replay of one block.
struct AccessCost {
  OpText op;
  std::string buffer;
  bool shared = false;
  bool writes = false;
  std::int64_t requests = 0;       ///< warp instructions
  int max_ways = 0;                ///< shared: most words of one bank in one phase
  std::int64_t extra_cycles = 0;   ///< shared: cycles past one a phase
  std::int64_t sectors = 0;        ///< global: 32-byte sectors touched
  std::int64_t ideal_sectors = 0;  ///< global: sectors that the bytes would need, packed
};

/// One barrier of the kernel and whether the proof needs it.
struct BarrierUse {
  OpText op;
  std::string why;
  bool redundant = false;  ///< the kernel is PROVED without it
};

struct ProofOptions {
  /// Sizes of dynamic axes and values of integer scalars by name; others are enumerated.
  std::map<std::string, std::int64_t> sizes;
  /// Delete each barrier in turn and prove again: the certificate that none is redundant.
  bool minimal = true;
  bool costs = true;                       ///< count bank conflicts and sectors
  bool lifetimes = true;                   ///< refuse stale reads of slots, which are no races
  bool first_finding_only = false;         ///< stop at the first Refuted finding
  int max_cases = 48;                      ///< sizes
  int max_paths = 256;                     ///< ways through guessed conditions, a case
  std::int64_t max_steps = 2'000'000'000;  ///< thread-ops replayed before it gives up
  const ir::Operation* without = nullptr;  ///< replay as if this op (of the kernel) were not there
};

struct ProofReport {
  Verdict verdict = Verdict::Unknown;
  std::vector<ProofFinding> findings;      ///< worst first; one a pair of ops and property
  std::vector<std::string> enumerated;     ///< the cases that were replayed
  std::vector<std::string> preconditions;  ///< what the launch must hold to
  std::vector<std::string> notes;          ///< what was left out, and why that is harmless
  std::vector<AccessCost> costs;
  std::vector<BarrierUse> barriers;
  std::int64_t accesses = 0;      ///< element accesses replayed
  std::int64_t extra_cycles = 0;  ///< bank conflicts of one block, summed
  std::vector<bool> reached;      ///< by number of the op in walk order: a case came to it
  double seconds = 0;
  /// PROVED, and in every loop of run-time length the shared accesses of a trip are those of some
  /// trips before, a barrier in each: freedom from shared races holds for all numbers of trips.
  bool all_trips = false;
};

/// Decides the kernel. Precondition: ir::check and ir::check_lowered pass.
ProofReport prove(const ir::Kernel& lowered, const ProofOptions& options = {});

/// The finding in two to four lines, witness included.
std::string to_string(const ProofFinding& finding);
/// The whole report for people.
std::string to_string(const ProofReport& report);
/// One JSON object: verdict, findings, enumerated, preconditions, costs, barriers.
std::string to_json(const ProofReport& report);

}  // namespace barline::verify
