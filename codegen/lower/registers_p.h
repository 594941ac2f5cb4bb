// SPDX-License-Identifier: Apache-2.0
// How a scalar or short vector in memory is split over instructions and registers: at most 16 bytes
// an instruction, narrow elements together in 32-bit registers.
#pragma once

#include <string>

#include "codegen/lower/lowerer_p.h"

namespace barline::codegen {

struct Transfer {
  ir::Elem elem{};
  int lanes = 1;
  int register_bits = 32;  ///< in memory; an 8-bit one takes a 16-bit PTX register
  int registers = 1;       ///< an instruction
  int instructions = 1;
  const char* type = "";  ///< of the instruction: "b8", "b16", "b32", "b64", "f32", "f64"
  int bytes() const { return registers * register_bits / 8; }  ///< an instruction
};

Transfer transfer(ir::Type t);
/// The LLVM type of one register of the transfer.
llvm::Type* register_type(Lowerer& l, const Transfer& t);
/// ".v4.b32", ".f32".
std::string vector_suffix(const Transfer& t);
/// "$2" or "{$2, $3, $4, $5}": the registers of one instruction, the first being operand `first`.
std::string register_list(const Transfer& t, int first);

/// All registers of the transfer, in order of memory, to its elements and back.
Values unpack(Lowerer& l, const Transfer& t, const Values& registers);
Values pack(Lowerer& l, const Transfer& t, const Values& elements);

}  // namespace barline::codegen
