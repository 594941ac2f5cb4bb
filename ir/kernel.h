// SPDX-License-Identifier: Apache-2.0
// Kernel: one function of the IR. Values are numbered; ops own their regions; operand 0 of every
// memory op is a root: a pointer parameter, a slot, or slot_at of a slot.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "ir/axis.h"
#include "ir/layout.h"
#include "ir/loc.h"
#include "ir/op.h"
#include "ir/order.h"
#include "ir/stream.h"
#include "ir/team.h"
#include "runtime/regions/layout.h"

namespace barline::ir {

/// Index into Kernel::values.
using ValueId = std::uint32_t;
inline constexpr ValueId no_value = ~ValueId{0};

struct Operation;

/// A list of ops that ends in a terminator, with the values that enter it.
struct Region {
  std::vector<ValueId> args;
  std::vector<Operation> ops;
};

struct Operation {
  Op op{};
  std::vector<ValueId> in;
  std::vector<ValueId> out;
  std::vector<Attr> attrs;  ///< at most one a key
  std::vector<Region> regions;
  Loc loc;

  bool is(Op o) const { return op == o; }
  bool has(Trait t) const { return def(op).has(t); }
  const Attr* find(Key key) const;
  /// The attribute's number, or `otherwise`.
  std::int64_t attr(Key key, std::int64_t otherwise = 0) const;
  /// The attribute as the enum it spells; its first enumerator if not there.
  template <class Enum>
  Enum attr_as(Key key) const {
    return static_cast<Enum>(attr(key));
  }
  void set(Key key, std::int64_t value);
  void set(Key key, std::string text);
};

struct ValueInfo {
  Type type;
  std::string name;  ///< the author's name or empty; only for people
};

enum class Access : std::uint8_t { In, Out, InOut };

/// A kernel parameter: a pointer to a tensor whose shape is a list of axes, or a scalar.
struct Param {
  std::string name;
  Type type;  ///< Pointer (global) or Scalar
  Access access = Access::In;
  std::vector<int> axes;  ///< pointer: shape, slowest first; indices into Kernel::axes
  ValueId value = no_value;
  Loc loc;
  bool scratch =
      false;  ///< InOut that no one else reads: zeros at first, then as launches leave it
};

/// A buffer in shared memory, or a gate (mbarrier). Its copies rotate: slot_at picks one. Gates are
/// ready before the body begins.
struct Slot {
  std::string name;
  Elem elem{};
  std::int64_t extent = 0;  ///< elements of one copy
  int copies = 1;
  ValueId value = no_value;
  Loc loc;
  int align = 16;    ///< bytes; 1024 for boxes that a wgmma reads
  int arrivals = 0;  ///< > 0: each copy is a gate (u64), a phase of which takes so many arrivals
  bool is_gate() const { return arrivals > 0; }
};

/// One dimension of the grid: ceil(size(axis) / per_block), or `count` where axis < 0. An axis in
/// segments has one axis a segment: the blocks of `also` follow those of `axis`, or stand beside
/// them (`abreast`: as many blocks as the widest needs).
struct GridDim {
  int axis = -1;
  std::int64_t per_block = 1;
  std::int64_t count = 1;
  std::vector<int> also{};
  bool abreast = false;
};

/// Warps of a block with a job of their own.
struct WarpRole {
  std::string name;
  int warps = 4;
  int registers = 0;  ///< a thread's; 0: as launched
  bool operator==(const WarpRole&) const = default;
};

struct Launch {
  std::int32_t threads[3] = {1, 1, 1};
  GridDim grid[3];
  bool cooperative = false;
  /// Asks walk_tiles to make the kernel persistent.
  bool walks = false;
  /// Blocks take a tile of the grid after the other: as many are launched as fit on the device, at
  /// most one a tile.
  bool persistent = false;
  int cluster = 1;          ///< blocks of a cluster, neighbours along x
  int min_ctas_per_sm = 0;  ///< .minnctapersm; 0: none
  int max_registers = 0;    ///< .maxnreg; 0: none
  std::int32_t block_threads() const { return threads[0] * threads[1] * threads[2]; }
};

/// Launch signature: params in order, then the dynamic axes' sizes as s32, in order of axes.
struct Kernel {
  std::string name;    ///< the entry's name, [A-Za-z_][A-Za-z0-9_]*
  std::string config;  ///< "family.type@schedule" and bound dims, what names and budgets speak of
  std::vector<Axis> axes;
  std::vector<ValueId> axis_sizes;  ///< s32, one an axis; no_value where the axis is bound
  std::vector<Layout> layouts;
  std::vector<Param> params;
  std::vector<Slot> slots;
  std::vector<Ring> rings;      ///< gone after lower_rings
  std::vector<WarpRole> roles;  ///< that fills, that computes; gone after split_roles
  Launch launch;
  std::vector<ValueInfo> values;
  Region body;                                ///< no arguments; ends in a yield of nothing
  bool debug = false;                         ///< keep print and check
  std::vector<regions::Region> region_table;  ///< that markers name; without timing gone after
                                              ///< strip_regions
  /// Keep the regions: the last parameter is the buffer of their samples.
  bool timed = false;

  const Type& type(ValueId v) const { return values[v].type; }
  ValueId new_value(Type type, std::string name = {});
  /// Index of the parameter or slot whose value this is, or -1.
  int param_of(ValueId v) const;
  int slot_of(ValueId v) const;
};

/// The buffer of a timed kernel's samples, its last parameter; -1: not timed.
inline int region_buffer(const Kernel& k) {
  return k.timed ? static_cast<int>(k.params.size()) - 1 : -1;
}

/// What a memory op's pointer is: a parameter or a slot, and the slot_at use where there is one.
struct Root {
  int param = -1;  ///< of a choose: the first
  int slot = -1;
  ValueId use = no_value;
  std::vector<int> params;    ///< which it may be: one, or those of a choose
  ValueId chosen = no_value;  ///< the index of a choose
};

/// Calls visit(op) on every op of the region and its sub-regions, outer ops first.
template <class RegionT, class Visit>
void walk(RegionT& region, Visit&& visit) {
  for (auto& op : region.ops) {
    visit(op);
    for (auto& r : op.regions) walk(r, visit);
  }
}

/// Defining op of every value (null for parameters, slots, axis sizes and region arguments). The
/// pointers hold until the kernel's regions change.
std::vector<const Operation*> definitions(const Kernel& k);
Root root_of(const Kernel& k, const std::vector<const Operation*>& defs, ValueId pointer);

/// Bytes of shared memory that the slots take, laid out in order, each aligned as it asks.
std::int64_t shared_bytes(const Kernel& k);
/// Byte offset of a slot's copy 0.
std::int64_t slot_offset(const Kernel& k, int slot);
/// Bytes between a slot's copies.
std::int64_t slot_pitch(const Slot& slot);

}  // namespace barline::ir
