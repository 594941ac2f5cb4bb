// SPDX-License-Identifier: Apache-2.0
// Elementwise ops on vectors. Elements of 16 bits are held in pairs and have packed instructions,
// with the numbers that the scalar ones give; everything else goes element by element through the
// lowering of scalars, which sees each operand stand for one of its elements.
#include <fmt/format.h>

#include "codegen/lower/floats_p.h"
#include "codegen/lower/ops_p.h"
#include "codegen/lower/registers_p.h"

namespace barline::codegen {
namespace {

using ir::Elem;
using ir::Op;

constexpr std::uint32_t sign_bits = 0x80008000;

std::uint32_t twice(std::uint32_t half) { return half << 16 | half; }

/// The instruction of two f16 or bf16 elements that an op is, or nothing.
std::string packed_name(Op op, Elem e) {
  switch (op) {
    case Op::Add: return "add.rn.f16x2";
    case Op::Sub: return "sub.rn.f16x2";
    case Op::Mul: return "mul.rn.f16x2";
    case Op::Fma: return fmt::format("fma.rn.{}x2", ir::name(e));
    case Op::Min: return fmt::format("min.{}x2", ir::name(e));
    case Op::Max: return fmt::format("max.{}x2", ir::name(e));
    default: return "";
  }
}

llvm::Value* packed(Lowerer& l, const std::string& name, llvm::ArrayRef<llvm::Value*> in) {
  return l.pure_asm(l.int_type(32), name + (in.size() == 3 ? " $0, $1, $2, $3;" : " $0, $1, $2;"),
                    in);
}

/// As for scalars: bf16 has an fma alone, whose 1, -1 and -0 make the other three of it.
llvm::Value* bf16_pair(Lowerer& l, Op op, const Values& in) {
  auto fma = [&](llvm::Value* a, llvm::Value* b, llvm::Value* c) {
    return packed(l, "fma.rn.bf16x2", {a, b, c});
  };
  switch (op) {
    case Op::Add: return fma(in[0], l.integer(32, twice(0x3f80)), in[1]);
    case Op::Sub: return fma(in[1], l.integer(32, twice(0xbf80)), in[0]);
    case Op::Mul: return fma(in[0], in[1], l.integer(32, sign_bits));
    default: return packed(l, packed_name(op, Elem::BF16), in);
  }
}

/// Two elements of 16 bits at once, or null where no instruction does it.
llvm::Value* pair(Lowerer& l, Op op, Elem e, const Values& in) {
  auto& b = l.b();
  if (ir::is_float(e)) {
    if (op == Op::Neg) return b.CreateXor(in[0], l.integer(32, sign_bits));
    if (op == Op::Abs) return b.CreateAnd(in[0], l.integer(32, ~sign_bits));
    if (packed_name(op, e).empty()) return nullptr;
    return e == Elem::BF16 ? bf16_pair(l, op, in) : packed(l, packed_name(op, e), in);
  }
  switch (op) {
    case Op::And: return b.CreateAnd(in[0], in[1]);
    case Op::Or: return b.CreateOr(in[0], in[1]);
    case Op::Xor: return b.CreateXor(in[0], in[1]);
    case Op::Not: return b.CreateNot(in[0]);
    default: return nullptr;
  }
}

/// Pair by pair; false if some pair has no instruction.
bool by_pair(Lowerer& l, const ir::Operation& op) {
  if (!in_pairs(l.type(op.out[0])) || l.elem(op.in[0]) != l.elem(op.out[0])) return false;
  Values out;
  for (std::size_t i = 0; i < l.values(op.in[0]).size(); ++i) {
    Values in;
    for (ir::ValueId v : op.in) in.push_back(l.values(v)[i]);
    llvm::Value* r = pair(l, op.op, l.elem(op.in[0]), in);
    if (!r) return false;
    out.push_back(r);
  }
  l.set(op.out[0], out);
  return true;
}

/// Casts between f32 and pairs that have an instruction; false for all others.
bool cast_pairs(Lowerer& l, const ir::Operation& op) {
  const Elem from = l.elem(op.in[0]), to = l.elem(op.out[0]);
  const auto round = op.attr_as<ir::Rounding>(ir::Key::Round);
  Values out;
  if (from == Elem::BF16 && to == Elem::F32) {  // an upper half is the f32, but for 16 zeros
    for (llvm::Value* word : l.values(op.in[0])) {
      out.push_back(from_bits(l, l.b().CreateShl(word, 16), to));
      out.push_back(from_bits(l, l.b().CreateAnd(word, l.integer(32, 0xffff0000)), to));
    }
    l.set(op.out[0], out);
    return true;
  }
  const bool direct = round == ir::Rounding::Rn || round == ir::Rounding::Rz;
  const bool narrows = from == Elem::F32 && (to == Elem::F16 || to == Elem::BF16);
  if (!narrows || !direct || op.attr(ir::Key::Saturate)) return false;
  const Values& in = l.values(op.in[0]);
  const std::string text = fmt::format("cvt.{}.{}x2.f32 $0, $1, $2;", mode(round), ir::name(to));
  for (std::size_t i = 0; i < in.size(); i += 2)  // the upper half comes first
    out.push_back(l.pure_asm(l.int_type(32), text, {in[i + 1], in[i]}));
  l.set(op.out[0], out);
  return true;
}

void by_element(Lowerer& l, const ir::Operation& op) {
  llvm::SmallVector<Values, 3> held, parts;
  for (ir::ValueId v : op.in) {
    held.push_back(l.values(v));
    parts.push_back(elements(l, v));
  }
  Values out;
  for (std::size_t e = 0; e < parts[0].size(); ++e) {
    for (std::size_t i = 0; i < op.in.size(); ++i) l.set(op.in[i], parts[i][e]);
    lower_row(l, op);
    out.push_back(l.value(op.out[0]));
  }
  for (std::size_t i = 0; i < op.in.size(); ++i) l.set(op.in[i], held[i]);
  set_elements(l, op.out[0], out);
}

}  // namespace

void lower_vector(Lowerer& l, const ir::Operation& op) {
  if (op.is(Op::Select) && l.type(op.in[0]).is_scalar()) return lower_row(l, op);
  if (op.is(Op::Cast) ? cast_pairs(l, op) : by_pair(l, op)) return;
  by_element(l, op);
}

}  // namespace barline::codegen
