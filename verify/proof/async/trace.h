// SPDX-License-Identifier: Apache-2.0
// Trace: what one warp does that others can notice, in the order of its program. Where a warp goes
// never depends on what it waits for, so its trace is made alone; the engine then plays the traces
// of all warps against each other.
#pragma once

#include <cstdint>
#include <vector>

#include "verify/proof/cell.h"

namespace barline::verify::proof::async {

using Lanes = std::uint32_t;
inline constexpr Lanes all_lanes = ~Lanes{0};

enum class EventKind : std::uint8_t {
  Access,      ///< lanes read or write; `flies`: the write of a cp.async group
  Remote,      ///< lanes write to the slot of another block of the cluster
  Copy,        ///< one bulk or tensor copy, that reports to a gate
  Matrix,      ///< a wgmma reads slots
  MatrixWait,  ///< wgmma groups before `value` have read them
  Arrive,
  Await,
  Barrier,
  WarpSync,
  ProxyFence,
  Registers,
  ClusterArrive,
  ClusterWait
};

/// Bytes of one copy of a slot, or of a tensor, that a lane (wgmma: all of them) touches.
struct Range {
  std::int64_t begin = 0;
  std::int32_t bytes = 0;
  std::int16_t slot = -1, param = -1;
  std::int16_t copy = 0;
  std::uint8_t lane = 0;
  std::int64_t use = any_use;
};

struct Event {
  EventKind kind{};
  bool write = false;
  bool strong = false;    ///< an atomic or ordered access: does not race with its like
  bool possible = false;  ///< under a condition that is not known
  bool flies = false;
  int op = -1;  ///< Step::index
  Lanes lanes = 0;
  std::uint32_t first = 0, count = 0;  ///< its ranges
  int gate = -1;                       ///< number of the gate: GateNumbers
  std::int64_t value = 0;  ///< phase, bytes, group, registers, id of a barrier, or rank of a block
  int warps = 0;           ///< of a barrier; 0: the block's
};

struct Trace {
  std::vector<Event> events;
  std::vector<Range> ranges;
};

}  // namespace barline::verify::proof::async
