// SPDX-License-Identifier: Apache-2.0
// Streams: how an operand moves from memory to its users, as data. A row's stripe in registers is
// the smallest stream: store Reg, owner Cta, moved by the lanes themselves, one slot, none ahead.
#pragma once

#include <cstdint>
#include <string_view>

#include "ir/team.h"

namespace barline::ir {

enum class Store : std::uint8_t { Smem, Reg, None };
enum class Agent : std::uint8_t { Lane, CpAsync, Bulk, Tma, Wgmma, PrevGrid };

struct Stream {
  std::string_view of;  ///< the operand's name
  Store store = Store::Reg;
  Team owner = Team::Cta;
  Agent by = Agent::Lane;
  std::uint8_t slots = 1;  ///< copies of the buffer that rotate
  std::uint8_t ahead = 0;  ///< uses that a fill runs ahead of
  std::uint16_t step = 0;  ///< elements a use; 0: the schedule's vec
  bool operator==(const Stream&) const = default;
};

/// The copy of a `slots`-fold buffer that use number `use` takes (program order over all uses).
constexpr std::uint32_t slot_of_use(std::uint32_t use, std::uint32_t slots) { return use % slots; }

}  // namespace barline::ir
