// SPDX-License-Identifier: Apache-2.0
// Conversions between float types. Where the target has an instruction it is used; elsewhere the
// same value is computed from bits, with a float addition that rounds at the right place (a number
// below the smallest normal one, added to 2^k whose last bit is the smallest subnormal, is rounded
// there).
#include "codegen/lower/floats_p.h"

#include <fmt/format.h>
#include <llvm/IR/IntrinsicsNVPTX.h>

#include <cmath>

namespace barline::codegen {
namespace {

using ir::Elem;
using ir::Rounding;

/// A small format by its numbers.
struct Small {
  int width, mantissa, bias;
  float max;
  std::uint64_t nan;
};

Small small(Elem e) {
  switch (e) {
    case Elem::E4M3: return {8, 3, 7, 448.0f, 0x7f};
    case Elem::E5M2: return {8, 2, 15, 57344.0f, 0x7f};
    default: return {4, 1, 1, 6.0f, 7};  // e2m1 has no NaN: PTX gives +6
  }
}

llvm::Value* fmin(Lowerer& l, llvm::Value* a, float b) {
  return l.intrinsic(llvm::Intrinsic::nvvm_fmin_f, {a, l.f32(b)});
}

/// f32 to a small format from bits: nearest even, saturating.
llvm::Value* encode(Lowerer& l, llvm::Value* v, const Small& f) {
  auto& b = l.b();
  auto word = [&](std::uint64_t n) { return l.integer(32, n); };
  const int shift = 23 - f.mantissa;
  llvm::Value* bits = to_bits(l, v);
  llvm::Value* magnitude = from_bits(l, b.CreateAnd(bits, word(0x7fffffff)), Elem::F32);
  magnitude = fmin(l, magnitude, f.max);
  llvm::Value* mag = to_bits(l, magnitude);
  llvm::Value* odd = b.CreateAnd(b.CreateLShr(mag, shift), word(1));
  llvm::Value* up = b.CreateAdd(b.CreateAdd(mag, word((1u << (shift - 1)) - 1)), odd);
  llvm::Value* normal = b.CreateSub(b.CreateLShr(up, shift), word((127 - f.bias) << f.mantissa));
  llvm::Value* magic = l.f32(std::ldexp(1.0f, 24 - f.bias - f.mantissa));
  llvm::Value* subnormal =
      b.CreateSub(to_bits(l, b.CreateFAdd(magnitude, magic)), to_bits(l, magic));
  llvm::Value* tiny = b.CreateICmpULT(mag, word(std::uint64_t(128 - f.bias) << 23));
  llvm::Value* sign = b.CreateShl(b.CreateLShr(bits, 31), f.width - 1);
  llvm::Value* r = b.CreateOr(b.CreateSelect(tiny, subnormal, normal), sign);
  r = b.CreateSelect(b.CreateFCmpUNO(v, v), word(f.nan), r);
  return b.CreateTrunc(r, l.int_type(8));
}

/// A small format to f32 from bits: its magnitude read as an f32 has too small a bias, which one
/// exact product puts right.
llvm::Value* decode(Lowerer& l, llvm::Value* v, Elem e) {
  auto& b = l.b();
  const Small f = small(e);
  llvm::Value* bits = b.CreateZExt(v, l.int_type(32));
  llvm::Value* mag = b.CreateAnd(bits, l.integer(32, (1u << (f.width - 1)) - 1));
  llvm::Value* low = from_bits(l, b.CreateShl(mag, 23 - f.mantissa), Elem::F32);
  llvm::Value* scaled = b.CreateFMul(low, l.f32(std::ldexp(1.0f, 127 - f.bias)));
  llvm::Value* sign = b.CreateShl(b.CreateLShr(bits, f.width - 1), 31);
  llvm::Value* r = b.CreateOr(to_bits(l, scaled), sign);
  if (e == Elem::E4M3)
    r = b.CreateSelect(b.CreateICmpEQ(mag, l.integer(32, f.nan)), l.integer(32, 0x7fffffff), r);
  return from_bits(l, r, Elem::F32);
}

llvm::Value* f16_to_f32(Lowerer& l, llvm::Value* v) {
  return l.pure_asm(l.b().getFloatTy(), "cvt.f32.f16 $0, $1;", {v});
}

/// Toward -inf or +inf: cut, then one step away from zero where that is the way and bits were lost.
llvm::Value* directed_bf16(Lowerer& l, llvm::Value* v, Rounding round) {
  auto& b = l.b();
  llvm::Value* bits = to_bits(l, v);
  llvm::Value* cut = l.pure_asm(l.int_type(16), "cvt.rz.bf16.f32 $0, $1;", {v});
  llvm::Value* lost = b.CreateICmpNE(b.CreateAnd(bits, l.integer(32, 0xffff)), l.integer(32, 0));
  llvm::Value* zero = l.integer(32, 0);
  llvm::Value* side =
      round == Rounding::Rm ? b.CreateICmpSLT(bits, zero) : b.CreateICmpSGE(bits, zero);
  llvm::Value* away = b.CreateAnd(b.CreateAnd(lost, side), b.CreateFCmpORD(v, v));
  return b.CreateAdd(cut, b.CreateZExt(away, l.int_type(16)));
}

}  // namespace

llvm::Value* clamp(Lowerer& l, llvm::Value* v, double max) {
  auto constant = [&](double x) { return llvm::ConstantFP::get(v->getType(), x); };
  llvm::Value* low = l.b().CreateSelect(l.b().CreateFCmpOGT(v, constant(max)), constant(max), v);
  return l.b().CreateSelect(l.b().CreateFCmpOLT(low, constant(-max)), constant(-max), low);
}

const char* mode(Rounding round) {
  constexpr const char* names[] = {"rn", "rz", "rm", "rp"};
  return names[static_cast<int>(round)];
}

llvm::Value* to_bits(Lowerer& l, llvm::Value* v) {
  if (v->getType()->isFloatTy()) return l.b().CreateBitCast(v, l.int_type(32));
  if (v->getType()->isDoubleTy()) return l.b().CreateBitCast(v, l.int_type(64));
  return v;
}

llvm::Value* from_bits(Lowerer& l, llvm::Value* bits, Elem e) {
  return l.type_of(e) == bits->getType() ? bits : l.b().CreateBitCast(bits, l.type_of(e));
}

llvm::Value* widen(Lowerer& l, llvm::Value* v, Elem from) {
  switch (from) {
    case Elem::F16: return f16_to_f32(l, v);
    case Elem::BF16: {
      llvm::Value* bits =
          l.pure_asm(l.int_type(32), "{ .reg .b16 z; mov.b16 z, 0; mov.b32 $0, {z, $1}; }", {v});
      return from_bits(l, bits, Elem::F32);
    }
    case Elem::E5M2:  // the upper byte of an f16
      return f16_to_f32(l, l.b().CreateShl(l.b().CreateZExt(v, l.int_type(16)), 8));
    case Elem::E4M3:
      if (l.target().capability >= 89) {
        llvm::Value* pair = l.pure_asm(l.int_type(32), "cvt.rn.f16x2.e4m3x2 $0, $1;",
                                       {l.b().CreateZExt(v, l.int_type(16))});
        return f16_to_f32(l, l.b().CreateTrunc(pair, l.int_type(16)));
      }
      return decode(l, v, from);
    case Elem::E2M1: return decode(l, v, from);
    default: return v;
  }
}

llvm::Value* narrow(Lowerer& l, llvm::Value* v, Elem to, Rounding round, bool saturate) {
  switch (to) {
    case Elem::F16:
      if (saturate) v = clamp(l, v, 65504);
      return l.pure_asm(l.int_type(16), fmt::format("cvt.{}.f16.f32 $0, $1;", mode(round)), {v});
    case Elem::BF16:
      if (saturate) v = clamp(l, v, 0x1.fep127);
      if (round == Rounding::Rm || round == Rounding::Rp) return directed_bf16(l, v, round);
      return l.pure_asm(l.int_type(16), fmt::format("cvt.{}.bf16.f32 $0, $1;", mode(round)), {v});
    case Elem::E4M3:
    case Elem::E5M2:
      if (l.target().capability >= 89) {
        const std::string text = fmt::format("cvt.rn.satfinite.{}x2.f32 $0, $1, $2;", ir::name(to));
        return l.b().CreateTrunc(l.pure_asm(l.int_type(16), text, {l.f32(0), v}), l.int_type(8));
      }
      return encode(l, v, small(to));
    case Elem::E2M1: return encode(l, v, small(to));
    default: return v;
  }
}

llvm::Value* to_f32_odd(Lowerer& l, llvm::Value* v, bool is_signed) {
  auto& b = l.b();
  llvm::Value *cut = nullptr, *inexact = nullptr;
  if (v->getType()->isDoubleTy()) {
    cut = l.pure_asm(b.getFloatTy(), "cvt.rz.f32.f64 $0, $1;", {v});
    inexact = b.CreateFCmpONE(l.pure_asm(b.getDoubleTy(), "cvt.f64.f32 $0, $1;", {cut}), v);
  } else {
    const std::string t =
        fmt::format("{}{}", is_signed ? 's' : 'u', v->getType()->getIntegerBitWidth());
    cut = l.pure_asm(b.getFloatTy(), fmt::format("cvt.rz.f32.{} $0, $1;", t), {v});
    inexact = b.CreateICmpNE(
        l.pure_asm(v->getType(), fmt::format("cvt.rzi.{}.f32 $0, $1;", t), {cut}), v);
  }
  llvm::Value* bits = b.CreateOr(to_bits(l, cut), b.CreateZExt(inexact, l.int_type(32)));
  return from_bits(l, bits, Elem::F32);
}

llvm::Value* round_to_integral(Lowerer& l, llvm::Value* v, Rounding round) {
  auto& b = l.b();
  llvm::Type* t = v->getType();
  const bool wide = t->isDoubleTy();
  auto cvt = [&](const char* m) {
    return l.pure_asm(t, fmt::format("cvt.{0}i.{1}.{1} $0, $1;", m, wide ? "f64" : "f32"), {v});
  };
  if (round != Rounding::Rna) return cvt(mode(round));
  // Ties away: cut, then one away from zero where at least a half was lost (the difference is
  // exact).
  auto constant = [&](double x) { return wide ? l.f64(x) : l.f32(static_cast<float>(x)); };
  llvm::Value* cut = cvt("rz");
  llvm::Value* rest = l.intrinsic(llvm::Intrinsic::fabs, {b.CreateFSub(v, cut)}, {t});
  llvm::Value* negative = b.CreateFCmpOLT(v, constant(0));
  llvm::Value* away = b.CreateFAdd(cut, b.CreateSelect(negative, constant(-1), constant(1)));
  return b.CreateSelect(b.CreateFCmpOGE(rest, constant(0.5)), away, cut);
}

}  // namespace barline::codegen
