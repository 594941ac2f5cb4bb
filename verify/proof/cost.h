// SPDX-License-Identifier: Apache-2.0
// What a warp's access costs, counted exactly from its lanes' addresses.
#pragma once

#include <cstdint>
#include <span>

namespace barline::verify::proof {

struct BankCost {
  int ways = 0;          ///< most different words of one bank in one phase
  int extra_cycles = 0;  ///< over all phases, cycles past the first
};

/// A shared access of `bytes` a lane at these byte addresses (of the active lanes, in lane order):
/// 32 banks of 4 bytes; up to 4 bytes a lane in one phase, 8 in two of 16 lanes, 16 in four of 8;
/// longer ones in pieces of 16. Lanes that read one word share it. `lane` of each address.
BankCost bank_cost(std::span<const std::int64_t> addresses, std::span<const int> lanes, int bytes);

/// 32-byte sectors that the lanes touch, the tensor's base being aligned to them.
int sectors(std::span<const std::int64_t> addresses, int bytes);

}  // namespace barline::verify::proof
