// SPDX-License-Identifier: Apache-2.0
// Streams: how an operand moves from memory to its users, as data. A row's stripe in registers is
// the smallest stream: store Reg, owner Cta, moved by the lanes themselves, one slot, none ahead.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "ir/team.h"

namespace barline::ir {

enum class Store : std::uint8_t { Smem, Reg, None };
enum class Agent : std::uint8_t { Lane, CpAsync, Bulk, Tma, Wgmma, PrevGrid };

struct Stream {
  std::string_view of{};  ///< the operand's name
  Store store = Store::Reg;
  Team owner = Team::Cta;
  Agent by = Agent::Lane;
  std::uint8_t slots = 1;  ///< copies of the buffer that rotate
  std::uint8_t ahead = 0;  ///< uses that a fill runs ahead of
  std::uint16_t step = 0;  ///< elements a use; 0: the schedule's vec
  /// A box that several products read is loaded to registers once; with store Reg, straight from
  /// memory at the start of a step.
  bool hoist = false;
  /// Copies of a later step stand in a branch of their own, which takes no registers from the
  /// products; else among the products, which hide them.
  bool guard = false;
  bool packed = false;        ///< codes come as the register images of ir/packing.h
  std::uint8_t multiple = 1;  ///< promise: rows are a multiple of so many elements (launch checks)
  constexpr bool operator==(const Stream&) const = default;
};

template <class Visitor>
constexpr void fields(const Stream& s, Visitor&& visit) {
  visit("of", s.of);
  visit("store", s.store);
  visit("owner", s.owner);
  visit("by", s.by);
  visit("slots", s.slots);
  visit("ahead", s.ahead);
  visit("step", s.step);
  visit("hoist", s.hoist);
  visit("guard", s.guard);
  visit("packed", s.packed);
  visit("multiple", s.multiple);
}

/// A stream as a kernel carries it: the ring that lower_rings (split_roles, where TMA or bulk
/// copies fill it) stages its loads through. Several loads a trip may share a ring; each is a use
/// of it, in program order.
struct Ring {
  std::string name;
  Agent by = Agent::Lane;
  int slots = 1;       ///< 0: no ring; loads go to registers at the start of a trip (hoist)
  int ahead = 0;       ///< uses that a fill runs ahead; = slots: as soon as its slot is free
  bool hoist = false;  ///< a box that several products of a trip read is loaded to registers once
  bool guard = false;  ///< asynchronous copies of a later trip stand in a branch of their own
  Store store = Store::Smem;  ///< Reg: each thread's own fragments, loaded `ahead` trips ahead
  bool operator==(const Ring&) const = default;
};

/// The copy of a `slots`-fold buffer that use number `use` takes (program order over all uses).
constexpr std::uint32_t slot_of_use(std::uint32_t use, std::uint32_t slots) { return use % slots; }

}  // namespace barline::ir
