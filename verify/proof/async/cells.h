// SPDX-License-Identifier: Apache-2.0
// Cells: who touched a piece of memory, piece by piece. A piece is as many bytes as all accesses of
// a buffer share, so that every access covers whole pieces and nothing is lost.
#pragma once

#include <unordered_map>

#include "verify/proof/async/trace.h"

namespace barline::verify::proof::async {

/// What an access was made by, and so what must be known for it to have happened.
enum class Agent : std::uint8_t {
  Lanes,     ///< threads: as far as their programs
  LaneCopy,  ///< cp.async: landed groups of threads
  Copy,      ///< bulk or tensor copy: a phase of its gate
  Matrix     ///< wgmma: finished groups of its warp
};

struct Record {
  std::uint32_t stamp = 0;  ///< 0: no access
  Lanes lanes = 0;          ///< components `component` + lane; of a copy or a wgmma: one
  int component = 0;
  int op = -1;
  std::uint16_t warp = 0;  ///< agent
  std::uint16_t run = 0;   ///< tensors: which replay of a cluster
  Agent agent{};
  bool write = false;
  bool strong = false;
  bool possible = false;
};

struct Cell {
  Record writer;
  std::vector<Record> others;  ///< reads and strong accesses since, no two of the same lanes
  bool written = false;
  bool maybe_written = false;
  std::int64_t filled_as = any_use;
};

/// Adds a read or a strong access: an earlier one of the same lanes is known to have happened by
/// whoever knows this one.
void add_other(Cell& c, const Record& r);

/// The cells of one slot of one block.
struct SlotCells {
  std::int64_t piece = 1;     ///< bytes
  std::int64_t per_copy = 0;  ///< pieces
  std::vector<Cell> cells;
};

/// The cells of one tensor, over all replayed blocks.
struct TensorCells {
  std::int64_t piece = 1;
  std::unordered_map<std::int64_t, Cell> cells;
};

}  // namespace barline::verify::proof::async
