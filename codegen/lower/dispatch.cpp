// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "codegen/lower/ops_p.h"

namespace barline::codegen {
namespace {

[[noreturn]] void not_lowered(const ir::Operation& op) {
  ir::fail(ir::Diag::NotLowered, op.loc, fmt::format("{} reached code generation", name(op.op)),
           "run the pipeline of ir/passes.def first");
}

template <ir::Op op_code>
void dispatch(Lowerer& l, const ir::Operation& op) {
  constexpr ir::OpDef row = ir::def(op_code);
  if constexpr (row.has(ir::TileLevel) || row.has(ir::ReductionLevel) || row.has(ir::Terminator))
    not_lowered(op);  // gone by now; a terminator belongs to the op around its region
  else
    lower(ir::Tag<op_code>{}, l, op);
}

}  // namespace

void lower_op(Lowerer& l, const ir::Operation& op) {
  const bool elementwise = op.has(ir::Elementwise) && !op.is(ir::Op::Bitcast) && !op.out.empty();
  if (elementwise && l.type(op.out[0]).kind == ir::Kind::Vector) return lower_vector(l, op);
  lower_row(l, op);
}

void lower_row(Lowerer& l, const ir::Operation& op) {
  switch (op.op) {
#define OP(Name, ...) \
  case ir::Op::Name:  \
    return dispatch<ir::Op::Name>(l, op);
#include "ir/ops.def"
#undef OP
  }
}

}  // namespace barline::codegen
