// SPDX-License-Identifier: Apache-2.0
// Arithmetic. f32 and f64 go through LLVM, which under AllowFPOpFusion=Strict prints every add,
// sub, mul and fma with its rounding; f16 and bf16 are assembly on their bits. bf16 has no add, sub
// or mul before sm_90, so it is one fma everywhere: a * 1 + b, b * -1 + a and a * b + -0 are
// rounded once and give the zeros that add, sub and mul give.
#include <fmt/format.h>
#include <llvm/IR/IntrinsicsNVPTX.h>

#include "codegen/lower/floats_p.h"
#include "codegen/lower/ops_p.h"

namespace barline::codegen {
namespace {

using ir::Elem;
using llvm::Intrinsic::ID;

llvm::Value* in(Lowerer& l, const ir::Operation& op, int i) { return l.value(op.in[i]); }

bool is_16(Elem e) { return e == Elem::F16 || e == Elem::BF16; }

llvm::Value* fma_bf16(Lowerer& l, llvm::Value* a, llvm::Value* b, llvm::Value* c) {
  return l.pure_asm(l.int_type(16), "fma.rn.bf16 $0, $1, $2, $3;", {a, b, c});
}

/// One f16 instruction of two operands.
llvm::Value* f16(Lowerer& l, const ir::Operation& op, const char* instruction) {
  return l.pure_asm(l.int_type(16), fmt::format("{} $0, $1, $2;", instruction),
                    {in(l, op, 0), in(l, op, 1)});
}

/// f(a as f32, b as f32) rounded back: the same as rounding once, since f32 has at least twice the
/// significand of f16 and bf16 plus two bits.
template <class F>
llvm::Value* through_f32(Lowerer& l, const ir::Operation& op, F f) {
  const Elem e = l.elem(op.in[0]);
  llvm::SmallVector<llvm::Value*, 2> wide;
  for (ir::ValueId v : op.in) wide.push_back(widen(l, l.value(v), e));
  return narrow(l, f(wide), e, ir::Rounding::Rn, false);
}

/// An intrinsic for f32 or f64.
llvm::Value* native(Lowerer& l, Elem e, ID f32, ID f64, llvm::ArrayRef<llvm::Value*> args) {
  return l.intrinsic(e == Elem::F64 ? f64 : f32, args);
}

/// Integer minimum or maximum.
llvm::Value* pick(Lowerer& l, const ir::Operation& op, ID is_signed, ID is_unsigned) {
  llvm::Value* a = in(l, op, 0);
  return l.intrinsic(ir::is_signed(l.elem(op.in[0])) ? is_signed : is_unsigned, {a, in(l, op, 1)},
                     {a->getType()});
}

void extremum(Lowerer& l, const ir::Operation& op, const char* name, ID f32, ID f64, ID s, ID u) {
  const Elem e = l.elem(op.in[0]);
  if (!ir::is_float(e)) return l.result(op, pick(l, op, s, u));
  if (is_16(e)) return l.result(op, f16(l, op, fmt::format("{}.{}", name, ir::name(e)).c_str()));
  l.result(op, native(l, e, f32, f64, {in(l, op, 0), in(l, op, 1)}));
}

}  // namespace

void lower(ir::Tag<ir::Op::Add>, Lowerer& l, const ir::Operation& op) {
  llvm::Value *a = in(l, op, 0), *b = in(l, op, 1);
  switch (l.elem(op.in[0])) {
    case Elem::F16: return l.result(op, f16(l, op, "add.rn.f16"));
    case Elem::BF16: return l.result(op, fma_bf16(l, a, l.integer(16, 0x3f80), b));
    case Elem::F32:
    case Elem::F64: return l.result(op, l.b().CreateFAdd(a, b));
    default: return l.result(op, l.b().CreateAdd(a, b));
  }
}

void lower(ir::Tag<ir::Op::Sub>, Lowerer& l, const ir::Operation& op) {
  llvm::Value *a = in(l, op, 0), *b = in(l, op, 1);
  switch (l.elem(op.in[0])) {
    case Elem::F16: return l.result(op, f16(l, op, "sub.rn.f16"));
    case Elem::BF16: return l.result(op, fma_bf16(l, b, l.integer(16, 0xbf80), a));
    case Elem::F32:
    case Elem::F64: return l.result(op, l.b().CreateFSub(a, b));
    default: return l.result(op, l.b().CreateSub(a, b));
  }
}

void lower(ir::Tag<ir::Op::Mul>, Lowerer& l, const ir::Operation& op) {
  llvm::Value *a = in(l, op, 0), *b = in(l, op, 1);
  switch (l.elem(op.in[0])) {
    case Elem::F16: return l.result(op, f16(l, op, "mul.rn.f16"));
    case Elem::BF16: return l.result(op, fma_bf16(l, a, b, l.integer(16, 0x8000)));
    case Elem::F32:
    case Elem::F64: return l.result(op, l.b().CreateFMul(a, b));
    default: return l.result(op, l.b().CreateMul(a, b));
  }
}

void lower(ir::Tag<ir::Op::MulHi>, Lowerer& l, const ir::Operation& op) {
  const Elem e = l.elem(op.in[0]);
  const bool s = ir::is_signed(e);
  llvm::Value *a = in(l, op, 0), *b = in(l, op, 1);
  using namespace llvm::Intrinsic;
  if (ir::bits(e) == 64)
    l.result(op, l.intrinsic(s ? nvvm_mulhi_ll : nvvm_mulhi_ull, {a, b}));
  else
    l.result(op, l.intrinsic(s ? nvvm_mulhi_i : nvvm_mulhi_ui, {a, b}));
}

void lower(ir::Tag<ir::Op::Div>, Lowerer& l, const ir::Operation& op) {
  const Elem e = l.elem(op.in[0]);
  llvm::Value *a = in(l, op, 0), *b = in(l, op, 1);
  using namespace llvm::Intrinsic;
  if (is_16(e))
    return l.result(op, through_f32(l, op, [&](auto& v) {
                      return l.intrinsic(nvvm_div_rn_f, {v[0], v[1]});
                    }));
  if (ir::is_float(e)) return l.result(op, native(l, e, nvvm_div_rn_f, nvvm_div_rn_d, {a, b}));
  l.result(op, ir::is_signed(e) ? l.b().CreateSDiv(a, b) : l.b().CreateUDiv(a, b));
}

void lower(ir::Tag<ir::Op::Rem>, Lowerer& l, const ir::Operation& op) {
  llvm::Value *a = in(l, op, 0), *b = in(l, op, 1);
  l.result(op, ir::is_signed(l.elem(op.in[0])) ? l.b().CreateSRem(a, b) : l.b().CreateURem(a, b));
}

void lower(ir::Tag<ir::Op::Fma>, Lowerer& l, const ir::Operation& op) {
  const Elem e = l.elem(op.in[0]);
  llvm::Value *a = in(l, op, 0), *b = in(l, op, 1), *c = in(l, op, 2);
  if (e == Elem::BF16) return l.result(op, fma_bf16(l, a, b, c));
  if (e == Elem::F16)
    return l.result(op, l.pure_asm(l.int_type(16), "fma.rn.f16 $0, $1, $2, $3;", {a, b, c}));
  using namespace llvm::Intrinsic;
  l.result(op, native(l, e, nvvm_fma_rn_f, nvvm_fma_rn_d, {a, b, c}));
}

// Sign changes are bit operations: PTX's neg and abs leave the payload of a NaN open. They are
// assembly because LLVM turns a flipped sign bit back into neg.
void lower(ir::Tag<ir::Op::Neg>, Lowerer& l, const ir::Operation& op) {
  const Elem e = l.elem(op.in[0]);
  llvm::Value* a = in(l, op, 0);
  if (!ir::is_float(e)) return l.result(op, l.b().CreateNeg(a));
  const int bits = ir::bits(e);
  llvm::Value* sign = l.integer(bits, std::uint64_t{1} << (bits - 1));
  llvm::Value* flipped =
      l.pure_asm(l.int_type(bits), fmt::format("xor.b{} $0, $1, $2;", bits), {to_bits(l, a), sign});
  l.result(op, from_bits(l, flipped, e));
}

void lower(ir::Tag<ir::Op::Abs>, Lowerer& l, const ir::Operation& op) {
  const Elem e = l.elem(op.in[0]);
  llvm::Value* a = in(l, op, 0);
  if (!ir::is_float(e)) {
    llvm::Value* negative = l.b().CreateICmpSLT(a, llvm::ConstantInt::get(a->getType(), 0));
    return l.result(op, l.b().CreateSelect(negative, l.b().CreateNeg(a), a));
  }
  const int bits = ir::bits(e);
  llvm::Value* rest = l.integer(bits, (std::uint64_t{1} << (bits - 1)) - 1);
  llvm::Value* cleared =
      l.pure_asm(l.int_type(bits), fmt::format("and.b{} $0, $1, $2;", bits), {to_bits(l, a), rest});
  l.result(op, from_bits(l, cleared, e));
}

void lower(ir::Tag<ir::Op::Min>, Lowerer& l, const ir::Operation& op) {
  using namespace llvm::Intrinsic;
  extremum(l, op, "min", nvvm_fmin_f, nvvm_fmin_d, smin, umin);
}

void lower(ir::Tag<ir::Op::Max>, Lowerer& l, const ir::Operation& op) {
  using namespace llvm::Intrinsic;
  extremum(l, op, "max", nvvm_fmax_f, nvvm_fmax_d, smax, umax);
}

void lower(ir::Tag<ir::Op::Sqrt>, Lowerer& l, const ir::Operation& op) {
  const Elem e = l.elem(op.in[0]);
  using namespace llvm::Intrinsic;
  if (is_16(e))
    return l.result(
        op, through_f32(l, op, [&](auto& v) { return l.intrinsic(nvvm_sqrt_rn_f, {v[0]}); }));
  l.result(op, native(l, e, nvvm_sqrt_rn_f, nvvm_sqrt_rn_d, {in(l, op, 0)}));
}

void lower(ir::Tag<ir::Op::Round>, Lowerer& l, const ir::Operation& op) {
  const Elem e = l.elem(op.in[0]);
  llvm::Value* rounded =
      round_to_integral(l, widen(l, in(l, op, 0), e), op.attr_as<ir::Rounding>(ir::Key::Round));
  l.result(op, is_16(e) ? narrow(l, rounded, e, ir::Rounding::Rn, false) : rounded);
}

}  // namespace barline::codegen
