// SPDX-License-Identifier: Apache-2.0
// Bit operations. A shift in LLVM is poison from the width on; in the IR, as in PTX, it clamps. A
// constant amount within the width is an LLVM shift (it folds into addresses), any other is the PTX
// instruction. 8- and 16-bit values shift in 32 bits: what they lose past their width is the same.
#include <fmt/format.h>
#include <llvm/IR/IntrinsicsNVPTX.h>

#include "codegen/lower/ops_p.h"

namespace barline::codegen {
namespace {

llvm::Value* in(Lowerer& l, const ir::Operation& op, int i) { return l.value(op.in[i]); }

/// `name`: shl.b, shr.s or shr.u, to be followed by the width.
llvm::Value* clamped_shift(Lowerer& l, const ir::Operation& op, const char* name, bool is_signed) {
  llvm::Value* a = in(l, op, 0);
  const int bits = ir::bits(l.elem(op.in[0]));
  const int width = bits == 64 ? 64 : 32;
  llvm::Value* n = l.b().CreateZExtOrTrunc(in(l, op, 1), l.int_type(32));
  llvm::Type* t = l.int_type(width);
  llvm::Value* wide = is_signed ? l.b().CreateSExtOrTrunc(a, t) : l.b().CreateZExtOrTrunc(a, t);
  llvm::Value* shifted = l.pure_asm(t, fmt::format("{}{} $0, $1, $2;", name, width), {wide, n});
  return l.b().CreateZExtOrTrunc(shifted, a->getType());
}

/// The amount where it is a constant below the width.
std::optional<std::int64_t> safe_amount(Lowerer& l, const ir::Operation& op) {
  std::optional<std::int64_t> n = l.constant(op.in[1]);
  if (n && *n >= 0 && *n < ir::bits(l.elem(op.in[0]))) return n;
  return std::nullopt;
}

llvm::Value* unary(Lowerer& l, const ir::Operation& op, llvm::Intrinsic::ID id) {
  llvm::Value* a = in(l, op, 0);
  return l.intrinsic(id, {a}, {a->getType()});
}

/// (x & mask) | set as the one instruction that ptxas does not make of two immediates: a mask or
/// what it sets, in a register is shared by all of a kernel's.
llvm::Value* masked_set(Lowerer& l, const ir::Operation& op) {
  const ir::Operation* masked = l.definition(op.in[0]);
  if (!masked || !masked->is(ir::Op::And) || ir::bits(l.elem(op.in[0])) != 32) return nullptr;
  if (!l.constant(masked->in[1]) || !l.constant(op.in[1])) return nullptr;
  constexpr int table = (0xf0 & 0xcc) | 0xaa;  // of the operands' bits, as lop3 counts them
  return l.pure_asm(l.int_type(32), fmt::format("lop3.b32 $0, $1, $2, $3, {};", table),
                    {in(l, *masked, 0), in(l, *masked, 1), in(l, op, 1)});
}

}  // namespace

void lower(ir::Tag<ir::Op::And>, Lowerer& l, const ir::Operation& op) {
  l.result(op, l.b().CreateAnd(in(l, op, 0), in(l, op, 1)));
}
void lower(ir::Tag<ir::Op::Or>, Lowerer& l, const ir::Operation& op) {
  llvm::Value* v = masked_set(l, op);
  l.result(op, v ? v : l.b().CreateOr(in(l, op, 0), in(l, op, 1)));
}
void lower(ir::Tag<ir::Op::Xor>, Lowerer& l, const ir::Operation& op) {
  l.result(op, l.b().CreateXor(in(l, op, 0), in(l, op, 1)));
}
void lower(ir::Tag<ir::Op::Not>, Lowerer& l, const ir::Operation& op) {
  l.result(op, l.b().CreateNot(in(l, op, 0)));
}

void lower(ir::Tag<ir::Op::Shl>, Lowerer& l, const ir::Operation& op) {
  if (auto n = safe_amount(l, op)) return l.result(op, l.b().CreateShl(in(l, op, 0), *n));
  l.result(op, clamped_shift(l, op, "shl.b", false));
}

void lower(ir::Tag<ir::Op::Shr>, Lowerer& l, const ir::Operation& op) {
  const bool s = ir::is_signed(l.elem(op.in[0]));
  if (auto n = safe_amount(l, op))
    return l.result(op,
                    s ? l.b().CreateAShr(in(l, op, 0), *n) : l.b().CreateLShr(in(l, op, 0), *n));
  l.result(op, clamped_shift(l, op, s ? "shr.s" : "shr.u", s));
}

void lower(ir::Tag<ir::Op::Popc>, Lowerer& l, const ir::Operation& op) {
  l.result(op, l.b().CreateZExtOrTrunc(unary(l, op, llvm::Intrinsic::ctpop),
                                       l.type_of(l.elem(op.out[0]))));
}

void lower(ir::Tag<ir::Op::Clz>, Lowerer& l, const ir::Operation& op) {
  llvm::Value* a = in(l, op, 0);
  llvm::Value* zeros = l.intrinsic(llvm::Intrinsic::ctlz, {a, l.integer(1, 0)}, {a->getType()});
  l.result(op, l.b().CreateZExtOrTrunc(zeros, l.type_of(l.elem(op.out[0]))));
}

void lower(ir::Tag<ir::Op::Brev>, Lowerer& l, const ir::Operation& op) {
  l.result(op, unary(l, op, llvm::Intrinsic::bitreverse));
}

void lower(ir::Tag<ir::Op::BytePermute>, Lowerer& l, const ir::Operation& op) {
  l.result(op, l.intrinsic(llvm::Intrinsic::nvvm_prmt, {in(l, op, 0), in(l, op, 1), in(l, op, 2)}));
}

}  // namespace barline::codegen
