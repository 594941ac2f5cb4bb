// SPDX-License-Identifier: Apache-2.0
// Comparison, choice and conversion. Every conversion rounds once: a source that is wider than f32
// reaches the types without an instruction of their own through f32 rounded to odd.
#include <fmt/format.h>

#include "codegen/lower/floats_p.h"
#include "codegen/lower/ops_p.h"
#include "codegen/lower/registers_p.h"

namespace barline::codegen {
namespace {

using ir::Elem;
using ir::Rounding;

/// s4 and u4 are integers here, i1 is an integer of 0 and 1.
bool integral(Elem e) { return ir::is_int(e) || e == Elem::I1 || e == Elem::S4 || e == Elem::U4; }
bool negative_too(Elem e) { return ir::is_signed(e) || e == Elem::S4; }
bool native_float(Elem e) { return e == Elem::F32 || e == Elem::F64; }

/// The integer in a width of at least `bits`, by its sign.
llvm::Value* extend(Lowerer& l, llvm::Value* v, Elem from, unsigned bits) {
  if (from == Elem::S4) v = l.b().CreateAShr(l.b().CreateShl(v, 4), 4);
  if (v->getType()->getIntegerBitWidth() >= bits) return v;
  return negative_too(from) ? l.b().CreateSExt(v, l.int_type(bits))
                            : l.b().CreateZExt(v, l.int_type(bits));
}

llvm::Value* pick(Lowerer& l, llvm::CmpInst::Predicate p, llvm::Value* v, std::int64_t bound) {
  llvm::Value* limit =
      llvm::ConstantInt::get(v->getType(), static_cast<std::uint64_t>(bound), true);
  return l.b().CreateSelect(l.b().CreateICmp(p, v, limit), limit, v);
}

/// An integer clamped to what `to` holds. `v` is at least as wide as `to`.
llvm::Value* clamp_integer(Lowerer& l, llvm::Value* v, bool source_signed, Elem to) {
  using P = llvm::CmpInst;
  const int width = static_cast<int>(v->getType()->getIntegerBitWidth()), bits = ir::bits(to);
  if (bits == width && source_signed == negative_too(to)) return v;
  if (!negative_too(to)) {
    if (source_signed) v = pick(l, P::ICMP_SLT, v, 0);
    return bits == width ? v : pick(l, P::ICMP_UGT, v, (std::int64_t{1} << bits) - 1);
  }
  const std::int64_t max = static_cast<std::int64_t>((std::uint64_t{1} << (bits - 1)) - 1);
  if (!source_signed) return pick(l, P::ICMP_UGT, v, max);
  return pick(l, P::ICMP_SLT, pick(l, P::ICMP_SGT, v, max), -max - 1);
}

/// Cut to the width of `to`, in the form in which `to` is held.
llvm::Value* truncate(Lowerer& l, llvm::Value* v, Elem to) {
  v = l.b().CreateZExtOrTrunc(v, l.type_of(to));
  return ir::bits(to) == 4 ? l.b().CreateAnd(v, l.integer(8, 15)) : v;
}

llvm::Value* int_to_int(Lowerer& l, llvm::Value* v, Elem from, Elem to, bool saturate) {
  if (to == Elem::I1) return l.b().CreateTrunc(v, l.int_type(1));
  llvm::Value* wide = extend(l, v, from, l.type_of(to)->getIntegerBitWidth());
  if (saturate) wide = clamp_integer(l, wide, negative_too(from), to);
  return truncate(l, wide, to);
}

/// cvt to an integer saturates. It takes a NaN to 0 only from f32 to at most 32 bits.
llvm::Value* float_to_int(Lowerer& l, llvm::Value* v, Elem from, Elem to, Rounding round) {
  v = widen(l, v, from);
  if (round == Rounding::Rna) {
    v = round_to_integral(l, v, round);
    round = Rounding::Rz;
  }
  const int bits = ir::bits(to) == 64 ? 64 : 32;
  const bool f64 = v->getType()->isDoubleTy();
  const bool is_signed = negative_too(to);
  const std::string text = fmt::format("cvt.{}i.{}{}.{} $0, $1;", mode(round),
                                       is_signed ? 's' : 'u', bits, f64 ? "f64" : "f32");
  llvm::Value* r = l.pure_asm(l.int_type(bits), text, {v});
  if (f64 || bits == 64) r = l.b().CreateSelect(l.b().CreateFCmpUNO(v, v), l.integer(bits, 0), r);
  return truncate(l, clamp_integer(l, r, is_signed, to), to);
}

llvm::Value* int_to_float(Lowerer& l, llvm::Value* v, Elem from, Elem to, Rounding round,
                          bool saturate) {
  const bool is_signed = negative_too(from);
  llvm::Value* wide = extend(l, v, from, 32);
  if (!native_float(to) && (to != Elem::F16 || saturate))
    return narrow(l, to_f32_odd(l, wide, is_signed), to, round, saturate);
  const std::string text =
      fmt::format("cvt.{}.{}.{}{} $0, $1;", mode(round), ir::name(to), is_signed ? 's' : 'u',
                  wide->getType()->getIntegerBitWidth());
  return l.pure_asm(l.type_of(to), text, {wide});
}

llvm::Value* float_to_float(Lowerer& l, llvm::Value* v, Elem from, Elem to, Rounding round,
                            bool saturate) {
  if (from == Elem::F64) {
    if (to != Elem::F32) return narrow(l, to_f32_odd(l, v, true), to, round, saturate);
    if (saturate) v = clamp(l, v, 0x1.fffffep127);
    return l.pure_asm(l.type_of(to), fmt::format("cvt.{}.f32.f64 $0, $1;", mode(round)), {v});
  }
  llvm::Value* wide = widen(l, v, from);
  if (to == Elem::F64) return l.pure_asm(l.type_of(to), "cvt.f64.f32 $0, $1;", {wide});
  return to == Elem::F32 ? wide : narrow(l, wide, to, round, saturate);
}

llvm::CmpInst::Predicate predicate(ir::Compare c, bool is_float, bool is_signed) {
  using P = llvm::CmpInst;
  constexpr P::Predicate floats[] = {P::FCMP_OEQ, P::FCMP_UNE, P::FCMP_OLT,
                                     P::FCMP_OLE, P::FCMP_OGT, P::FCMP_OGE};
  constexpr P::Predicate signeds[] = {P::ICMP_EQ,  P::ICMP_NE,  P::ICMP_SLT,
                                      P::ICMP_SLE, P::ICMP_SGT, P::ICMP_SGE};
  constexpr P::Predicate unsigneds[] = {P::ICMP_EQ,  P::ICMP_NE,  P::ICMP_ULT,
                                        P::ICMP_ULE, P::ICMP_UGT, P::ICMP_UGE};
  const int i = static_cast<int>(c);
  return is_float ? floats[i] : is_signed ? signeds[i] : unsigneds[i];
}

}  // namespace

void lower(ir::Tag<ir::Op::Cmp>, Lowerer& l, const ir::Operation& op) {
  const Elem e = l.elem(op.in[0]);
  llvm::Value *a = l.value(op.in[0]), *b = l.value(op.in[1]);
  const bool ints = integral(e);
  auto wide = [&](llvm::Value* v) {
    return !ints ? widen(l, v, e) : e == Elem::S4 ? extend(l, v, e, 8) : v;
  };
  const auto p = predicate(op.attr_as<ir::Compare>(ir::Key::Pred), !ints, negative_too(e));
  a = wide(a);
  b = wide(b);
  l.result(op, ints ? l.b().CreateICmp(p, a, b) : l.b().CreateFCmp(p, a, b));
}

void lower(ir::Tag<ir::Op::Select>, Lowerer& l, const ir::Operation& op) {
  Values r;
  for (std::size_t i = 0; i < l.values(op.in[1]).size(); ++i)
    r.push_back(
        l.b().CreateSelect(l.value(op.in[0]), l.values(op.in[1])[i], l.values(op.in[2])[i]));
  l.set(op.out[0], r);
}

void lower(ir::Tag<ir::Op::Cast>, Lowerer& l, const ir::Operation& op) {
  const Elem from = l.elem(op.in[0]), to = l.elem(op.out[0]);
  const auto round = op.attr_as<Rounding>(ir::Key::Round);
  const bool saturate = op.attr(ir::Key::Saturate) != 0;
  llvm::Value* v = l.value(op.in[0]);
  if (from == to) return l.result(op, v);
  if (integral(from) && integral(to)) return l.result(op, int_to_int(l, v, from, to, saturate));
  if (integral(from)) return l.result(op, int_to_float(l, v, from, to, round, saturate));
  if (to == Elem::I1) {
    llvm::Value* wide = widen(l, v, from);
    return l.result(op, l.b().CreateFCmpUNE(wide, llvm::ConstantFP::get(wide->getType(), 0.0)));
  }
  if (integral(to)) return l.result(op, float_to_int(l, v, from, to, round));
  l.result(op, float_to_float(l, v, from, to, round, saturate));
}

void lower(ir::Tag<ir::Op::Bitcast>, Lowerer& l, const ir::Operation& op) {
  const ir::Type &from = l.type(op.in[0]), &to = l.type(op.out[0]);
  if (from.elem == to.elem) return l.set(op.out[0], l.values(op.in[0]));
  if (from.is_scalar() && to.is_scalar())
    return l.result(op, from_bits(l, to_bits(l, l.value(op.in[0])), to.elem));
  l.set(op.out[0], from_words(l, to, to_words(l, from, l.values(op.in[0]))));
}

}  // namespace barline::codegen
