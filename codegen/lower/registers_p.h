// SPDX-License-Identifier: Apache-2.0
// How a scalar or short vector is split over instructions and registers: in memory at most 16 bytes
// an instruction, narrow elements together in 32-bit registers; between ops elements of 16 bits in
// pairs, others one by one.
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
/// The same of what the op stores; refuses one element that shares its byte.
Transfer stored(const ir::Operation& op, ir::Type t);
/// The LLVM type of one register of the transfer.
llvm::Type* register_type(Lowerer& l, const Transfer& t);
/// ".v4.b32", ".f32".
std::string vector_suffix(const Transfer& t);
/// "$2" or "{$2, $3, $4, $5}": the registers of one instruction, the first being operand `first`.
std::string register_list(const Transfer& t, int first);

/// All registers of the transfer, in order of memory, to what holds its value and back.
Values unpack(Lowerer& l, const Transfer& t, const Values& registers);
Values pack(Lowerer& l, const Transfer& t, const Values& held);

/// True if a value of the type is held two elements a register.
bool in_pairs(ir::Type t);
/// LLVM values that hold a value of the type.
std::size_t register_count(ir::Type t);
/// The elements of a scalar or vector, one by one, and back.
Values elements(Lowerer& l, ir::ValueId v);
Values elements(Lowerer& l, ir::ValueId v, std::size_t first, std::size_t count);
void set_elements(Lowerer& l, ir::ValueId v, const Values& elements);
/// Two halves of a register, the low one first, and back.
void split_pair(Lowerer& l, llvm::Value* word, Values& out);
llvm::Value* join_pair(Lowerer& l, llvm::Value* low, llvm::Value* high);

/// A scalar or vector of whole bytes as 32-bit words, element 0 lowest, and back. Below 32 bits one
/// word, whose upper bits are zero.
Values to_words(Lowerer& l, ir::Type t, const Values& held);
Values from_words(Lowerer& l, ir::Type t, const Values& words);

}  // namespace barline::codegen
