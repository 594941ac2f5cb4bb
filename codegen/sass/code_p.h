// SPDX-License-Identifier: Apache-2.0
// Machine code as 16-byte instructions, and the few fields that all targets since sm_70 share.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

namespace barline::codegen {

inline constexpr std::size_t instruction_bytes = 16;
inline constexpr std::uint8_t zero_register = 0xff;

struct Instruction {
  std::uint64_t low = 0;

  std::uint16_t operation() const { return low & 0x1ff; }                        ///< bits 0..8
  std::uint8_t form() const { return static_cast<std::uint8_t>(low >> 9 & 7); }  ///< bits 9..11
  bool never() const { return (low >> 12 & 15) == 15; }  ///< guarded by !PT: never executed
  std::uint8_t source_a() const { return static_cast<std::uint8_t>(low >> 24); }
  std::uint8_t source_b() const { return static_cast<std::uint8_t>(low >> 32); }
};

inline constexpr std::uint8_t form_registers = 1;  ///< all sources are registers

/// Calls visit(Instruction) for each instruction; `text` holds a whole number of them.
template <class Visit>
void each_instruction(std::span<const std::byte> text, Visit visit) {
  for (std::size_t at = 0; at + instruction_bytes <= text.size(); at += instruction_bytes) {
    Instruction instruction;
    std::memcpy(&instruction.low, text.data() + at, sizeof instruction.low);
    visit(instruction);
  }
}

}  // namespace barline::codegen
