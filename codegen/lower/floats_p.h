// SPDX-License-Identifier: Apache-2.0
// Float helpers that several families share. Sources: PTX ISA 8.5, "Floating Point Instructions".
#pragma once

#include "codegen/lower/lowerer_p.h"

namespace barline::codegen {

/// The bits of a float as an integer, and back. A 16-bit float is its bits already.
llvm::Value* to_bits(Lowerer& l, llvm::Value* v);
llvm::Value* from_bits(Lowerer& l, llvm::Value* bits, ir::Elem e);

/// f16, bf16, the 8-bit floats and e2m1 as f32: exact. f32 and f64 come back as they are.
llvm::Value* widen(Lowerer& l, llvm::Value* v, ir::Elem from);

/// An f32 rounded once to f16, bf16, e4m3, e5m2 or e2m1. Past the largest finite value it becomes
/// infinity, or stays the largest finite one with `saturate` (always so for the 8- and 4-bit
/// types).
llvm::Value* narrow(Lowerer& l, llvm::Value* f32, ir::Elem to, ir::Rounding round, bool saturate);

/// Clamped to +-max; a NaN stays one.
llvm::Value* clamp(Lowerer& l, llvm::Value* v, double max);

/// An f64 or integer as f32, rounded to odd: rounding that once more to at most 22 bits of
/// significand is as good as rounding the source once (Boldo, Melquiond 2008).
llvm::Value* to_f32_odd(Lowerer& l, llvm::Value* v, bool is_signed);

/// A float rounded to an integral value of its type (f32 or f64).
llvm::Value* round_to_integral(Lowerer& l, llvm::Value* v, ir::Rounding round);

/// "rn", "rz", "rm" or "rp". Precondition: not Rna.
const char* mode(ir::Rounding round);

}  // namespace barline::codegen
