// SPDX-License-Identifier: Apache-2.0
// Products of warpgroups in flight. An accumulator in flight is a ticket in a register: its values
// stand in a table of the warp until a wait makes them registers again, so whoever takes it early
// holds no value. What a product reads of a slot, nobody may write until its group is waited for.
#pragma once

#include <cstdint>
#include <vector>

#include "verify/interp/program.h"

namespace barline::verify::sim {

class Shadow;

inline constexpr std::size_t warps_a_group = 4;
inline constexpr int sums_a_lane = 4;  ///< elements of an accumulator

/// An accumulator in flight: 4 words a lane, as c of mma.
struct Accumulator {
  std::uint32_t generation = 0;
  std::uint64_t group = 0;  ///< that writes it last
  bool live = false;
  std::uint32_t words[sums_a_lane * lanes] = {};
};

/// A stretch of cells that a product reads.
struct AsyncRead {
  Shadow* shadow = nullptr;
  std::int64_t first_cell = 0;
  std::int32_t cells = 0;
  std::uint32_t pc = 0;  ///< after the product
};

/// A warp's part of its warpgroup's products.
class ProductsInFlight {
 public:
  /// A place for the results of the open group; the ticket stands in the register.
  Accumulator& take_off(Warp& w, Operand result);
  /// The same for registers that no product writes yet.
  Accumulator& hand_over(Warp& w, Operand result);
  /// An accumulator in flight that the open group goes on with.
  Accumulator& advance(Warp& w, Operand from, Operand to);
  /// An accumulator that has landed becomes registers.
  void give(Warp& w, Operand from, Operand to);
  void read(const AsyncRead& r) { reads_.push_back(r); }

  void fence() { fenced_ = true; }
  /// Halts unless a fence stands before the open group's first product; adds the product to it.
  void join_group(Warp& w, std::uint64_t what);
  void commit(Warp& w);
  /// At most `pending` groups stay in flight; the others' reads have ended.
  void wait(Warp& w, std::size_t pending);
  /// The warp ends: halts if its warpgroup's warps executed different groups.
  void require_together(const Warp& w) const;
  void drop();

 private:
  Accumulator& find(Warp& w, Operand at);

  std::vector<Accumulator> table_;
  std::vector<std::uint32_t> free_;
  std::vector<AsyncRead> reads_;
  std::vector<std::size_t> ends_;  ///< of the groups in flight, in reads_
  std::uint64_t committed_ = 0;    ///< groups so far
  std::uint64_t landed_ = 0;
  std::uint64_t hash_ = 0;  ///< of the open group's products
  bool fenced_ = false;
};

/// What the warps of each warpgroup multiplied, one number a group of products.
using GroupLogs = std::vector<std::vector<std::uint64_t>>;

/// wgmma and wgmma_wait, decoded.
struct ProductPlan {
  std::vector<Operand> from, to;
  std::vector<bool> in_flight;  ///< of `from`
  ir::Elem elem{};
  int k = 16;
  bool a_in_slot = false, transposed = false;
  Operand a;
  Access a_slot, b;
  std::int64_t pitch = 0;
};

}  // namespace barline::verify::sim
