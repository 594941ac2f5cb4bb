// SPDX-License-Identifier: Apache-2.0
// Plan: what of a kernel the proof replays. Float arithmetic and everything else that feeds no
// address, condition or sync is left out; memory ops carry what their root resolves to.
#pragma once

#include <cstdint>
#include <vector>

#include "ir/kernel.h"
#include "verify/proof/rotation.h"

namespace barline::verify::proof {

/// What is inside an op's regions (or is the op itself).
struct Facts {
  bool shared = false;  ///< accesses a slot
  bool barrier = false;
  bool warp = false;  ///< needs whole warps: warp_sync, shuffle, vote
  bool global_write = false;
  bool global_read = false;  ///< of memory that the kernel writes
  bool order = false;        ///< fence, or an access that is not weak
  bool commit = false;       ///< closes a group of asynchronous copies
  bool async = false;        ///< waits for others, lets them go on, or has an effect later

  Facts& operator|=(const Facts& f);
  /// Running it or not makes no difference to any other op.
  bool light() const { return !shared && !barrier && !warp && !global_write && !commit && !async; }
};

/// A slot, or a copy of it, and an element there.
struct Place {
  int slot = -1;
  ir::ValueId use = ir::no_value;  ///< of slot_at
  ir::ValueId at = ir::no_value;   ///< the index
};

/// How an access meets others. Strong ones (atomic, relaxed, acquire, release) do not race with
/// each other.
enum class Touch : std::uint8_t { Read, Write, StrongRead, StrongWrite };
constexpr bool is_write(Touch t) { return t == Touch::Write || t == Touch::StrongWrite; }
constexpr bool is_strong(Touch t) { return t >= Touch::StrongRead; }
/// True if accesses of these kinds to one element race when nothing orders them.
constexpr bool conflicting(Touch a, Touch b) {
  return (is_write(a) || is_write(b)) && !(is_strong(a) && is_strong(b));
}

struct Step;
using Steps = std::vector<Step>;

struct Step {
  const ir::Operation* op = nullptr;
  int index = -1;  ///< position in Plan::ops
  Facts facts;
  std::vector<Steps> regions;
  bool runtime = false;  ///< a loop whose length follows from sizes, arguments or data
  // memory ops only
  int param = -1;           ///< of a choose: the first
  std::vector<int> params;  ///< those of a choose; empty for others
  ir::ValueId chosen = ir::no_value;
  int slot = -1;
  ir::ValueId at = ir::no_value;   ///< the index
  ir::ValueId use = ir::no_value;  ///< of slot_at
  ir::ValueId active = ir::no_value;
  Touch touch{};
  bool reads = false;
  bool device_scope = false;  ///< strong towards other blocks too
  bool counter = false;       ///< by which blocks meet
  std::int64_t offset = 0;
  int lanes = 1;  ///< elements accessed
  int elem_bits = 32;
  std::vector<Step> source;     ///< copy_async, copy_bulk: the step that reads what this one writes
  std::vector<int> copied;      ///< copy_bulk, copy_tensor: parameters that they may read
  Place gate;                   ///< of arrive, await and of copies that report to one
  std::vector<Place> matrices;  ///< operands that a wgmma reads from slots
  int rows = 0;  ///< load_matrix, store_matrix: as many lanes of a warp give the start of a row
                 ///< each, and others have its elements
};

struct Plan {
  const ir::Kernel* kernel = nullptr;
  Steps body;
  std::vector<const ir::Operation*> ops;  ///< every op of the kernel, in order of its text
  std::vector<bool> needed;               ///< values that must be evaluated
  std::vector<bool> written, read;        ///< parameters that the kernel writes, and reads
  std::vector<bool> strong_param;         ///< parameters with accesses that are not weak
  std::vector<bool> weak_param;           ///< parameters with accesses that are weak
  std::vector<bool> strong;               ///< slots with accesses that are not weak
  std::vector<bool> async;                ///< slots that are copied to asynchronously
  bool orders = false;                    ///< fences, or accesses that are not weak, of no counter
  bool meets = false;                     ///< accesses of counters by which blocks meet
  bool waits = false;                     ///< for the grid before
  bool releases = false;                  ///< the grid after
  bool warps_apart = false;               ///< gates and the like: warps run different paths
  Rotation rotation;
};

/// The plan of a lowered kernel, `without` (an op of it, or null) left out.
Plan make_plan(const ir::Kernel& k, const ir::Operation* without);

}  // namespace barline::verify::proof
