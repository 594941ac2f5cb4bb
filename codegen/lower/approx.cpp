// SPDX-License-Identifier: Apache-2.0
// The hardware's approximations, each one instruction under its own name. f16 and bf16 operands are
// widened, and the result is rounded back. Powers of 2 below the normal numbers are 0: the form
// that keeps them takes three instructions more each.
#include <fmt/format.h>

#include "codegen/lower/floats_p.h"
#include "codegen/lower/ops_p.h"

namespace barline::codegen {
namespace {

void approx(Lowerer& l, const ir::Operation& op, const char* instruction) {
  const ir::Elem e = l.elem(op.in[0]);
  llvm::Value* r = l.pure_asm(l.b().getFloatTy(), fmt::format("{} $0, $1;", instruction),
                              {widen(l, l.value(op.in[0]), e)});
  l.result(op, e == ir::Elem::F32 ? r : narrow(l, r, e, ir::Rounding::Rn, false));
}

}  // namespace

void lower(ir::Tag<ir::Op::Ex2Approx>, Lowerer& l, const ir::Operation& op) {
  approx(l, op, "ex2.approx.ftz.f32");
}
void lower(ir::Tag<ir::Op::Lg2Approx>, Lowerer& l, const ir::Operation& op) {
  approx(l, op, "lg2.approx.f32");
}
void lower(ir::Tag<ir::Op::RcpApprox>, Lowerer& l, const ir::Operation& op) {
  approx(l, op, "rcp.approx.f32");
}
void lower(ir::Tag<ir::Op::RsqrtApprox>, Lowerer& l, const ir::Operation& op) {
  approx(l, op, "rsqrt.approx.f32");
}
void lower(ir::Tag<ir::Op::SinApprox>, Lowerer& l, const ir::Operation& op) {
  approx(l, op, "sin.approx.f32");
}
void lower(ir::Tag<ir::Op::CosApprox>, Lowerer& l, const ir::Operation& op) {
  approx(l, op, "cos.approx.f32");
}
void lower(ir::Tag<ir::Op::TanhApprox>, Lowerer& l, const ir::Operation& op) {
  approx(l, op, "tanh.approx.f32");
}

}  // namespace barline::codegen
