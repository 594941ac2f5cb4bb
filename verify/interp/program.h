// SPDX-License-Identifier: Apache-2.0
// The flat program that a kernel is compiled to before it runs: decoded instructions over register
// offsets, with jumps. It is specialised to one launch, so tile shares and grid sizes are numbers.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "ir/kernel.h"

namespace barline::verify::sim {

struct Warp;
struct Block;
struct Inst;
struct FragmentAccess;
struct DotPlan;
struct Places;
struct ProductPlan;
struct ClusterMerge;
struct MergePlan;
using Mask = std::uint32_t;
using Execute = void (*)(Warp&, const Inst&);
inline constexpr int lanes = ir::warp_size;

/// Where a value stands in a warp's register file: 32 lanes of element 0 at byte `at`, and those of
/// each further element `step` * 32 lanes on (0: one element stands for all).
struct Operand {
  std::uint32_t at = 0;
  std::uint32_t step = 1;
};

/// One instruction. Pure ones compute all 32 lanes; inactive lanes hold values that nobody reads.
struct Inst {
  Execute run = nullptr;
  Operand out{}, a{}, b{}, c{};
  std::uint32_t n = 1;       ///< elements a lane
  std::uint32_t weight = 0;  ///< lane ops that an active lane counts
  std::uint32_t target = 0;  ///< instruction jumped to
  std::uint32_t info = 0;    ///< index into a table of the program
  std::int64_t imm = 0;
};

/// How a tile is spread over a block: the element (chunk, j) of thread t stands at
/// part + (chunk * threads + t) * vec + j, where `part` is block_id(grid_dim) * chunks*threads*vec.
struct TileShare {
  std::int64_t size = 0;  ///< of the axis; positions from there on take no part
  std::int64_t vec = 1, threads = 1, chunks = 1;
  int grid_dim = -1;  ///< -1: every block covers the whole axis
  std::int64_t elements() const { return chunks * vec; }
};

/// A memory operation, decoded.
struct Access {
  int tensor = -1;  ///< index into the launch's tensors, or -1
  int slot = -1;
  int param = -1;
  ir::Elem elem{};
  std::int32_t vec = 1;
  std::int64_t offset = 0;
  ir::MemOrder order{};
  bool wide = false;  ///< scope gpu or sys: orders threads of different blocks
  bool rotating = false;
  Operand index;
  ir::Elem index_elem{};
  Operand value;     ///< stored, or the operand of an atomic
  Operand expected;  ///< of a compare and swap
  bool has_active = false;
  bool copied = false;  ///< by an asynchronous copy, from a tensor that no grid writes
  Operand active;
  Operand copy;    ///< u32: the copy of a rotating slot, or which tensor of a choose
  int share = -1;  ///< tile accesses
  struct Choice {
    int tensor, param;
  };
  std::vector<Choice> choices;  ///< of a choose
  bool strong() const { return order > ir::MemOrder::Const; }
  bool acquires() const { return order == ir::MemOrder::Acquire || order == ir::MemOrder::AcqRel; }
  bool releases() const { return order == ir::MemOrder::Release || order == ir::MemOrder::AcqRel; }
};

/// A register that keeps one value for the whole run of a block, filled before it starts.
struct Preset {
  enum class Source : std::uint8_t { Bits, ThreadId, Rank, Lane, WarpIndex, BlockId };
  Source source = Source::Bits;
  int dim = 0;
  std::uint64_t bits = 0;
  ir::Elem elem{};
  std::uint32_t at = 0;
};

/// Values that the warps of a block hand to each other in a block reduction: each warp's `from`
/// goes to register `to[warp]` of every warp.
struct Exchange {
  struct Value {
    int width = 4;
    std::uint32_t from = 0;
    std::vector<std::uint32_t> to;
  };
  std::vector<Value> values;
  std::shared_ptr<const MergePlan> merge;  ///< instead of them: parts of a sum
  std::shared_ptr<const ClusterMerge> cluster_merge;
};

struct Message {
  std::string text;
  std::vector<std::pair<ir::Elem, Operand>> values;
};

/// Shape of one launch: sizes of all axes, blocks and threads.
struct Geometry {
  std::vector<std::int64_t> axis_sizes;
  std::int64_t grid[3] = {1, 1, 1};  ///< blocks that are launched
  std::int32_t threads[3] = {1, 1, 1};
  std::int64_t blocks() const { return grid[0] * grid[1] * grid[2]; }
  std::int32_t block_threads() const { return threads[0] * threads[1] * threads[2]; }
  std::int32_t warps() const { return (block_threads() + lanes - 1) / lanes; }
};

struct Program {
  const ir::Kernel* kernel = nullptr;
  Geometry geometry;
  std::vector<Inst> code;
  std::vector<const ir::Operation*> origin;  ///< of each instruction
  std::vector<Access> accesses;
  std::vector<TileShare> shares;
  std::vector<Preset> presets;
  std::vector<Exchange> exchanges;
  std::vector<Message> messages;
  std::vector<std::shared_ptr<const FragmentAccess>> fragments;
  std::vector<std::shared_ptr<const DotPlan>> dots;
  std::vector<std::shared_ptr<const Places>> places;
  std::vector<std::vector<std::uint32_t>> register_maps;
  std::vector<std::shared_ptr<const ProductPlan>> products;
  std::int32_t launch_registers = 0;  ///< of a thread
  bool awaits_previous = false;       ///< an await_previous stands somewhere
  std::size_t register_bytes = 0;     ///< of one warp
  bool blocks_talk = false;           ///< strong accesses to tensors, or fences
  bool approximate = false;
};

}  // namespace barline::verify::sim
