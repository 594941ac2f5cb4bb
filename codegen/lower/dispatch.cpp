// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "codegen/lower/ops_p.h"

namespace barline::codegen {
namespace {

[[noreturn]] void not_lowered(const ir::Operation& op) {
  ir::fail(ir::Diag::NotLowered, op.loc, fmt::format("{} reached code generation", name(op.op)),
           "run the pipeline of ir/passes.def first");
}

/// Instructions that sm_90a has, and no other target in the same form.
constexpr bool is_hopper(ir::Op op) {
  using enum ir::Op;
  switch (op) {
    case CopyBulk:
    case CopyTensor:
    case Arrive:
    case Await:
    case Elect:
    case StoreMatrix:
    case Wgmma:
    case WgmmaSlots:
    case WgmmaFence:
    case WgmmaCommit:
    case WgmmaWait:
    case SetRegisters:
    case ProxyFence:
    case ClusterRank:
    case ClusterArrive:
    case ClusterWait:
    case StoreRemote:
    case AwaitPrevious:
    case ReleaseNext: return true;
    default: return false;
  }
}

void check_target(const Lowerer& l, const ir::Operation& op) {
  if (l.target().name == "sm_90a") return;
  ir::fail(ir::Diag::TargetFeature, op.loc,
           fmt::format("{} for {}; only sm_90a has it", name(op.op), l.target().name),
           "leave the target out, or give it a schedule without tensor copies, wgmma, clusters and "
           "overlapping launches");
}

template <ir::Op op_code>
void dispatch(Lowerer& l, const ir::Operation& op) {
  constexpr ir::OpDef row = ir::def(op_code);
  if constexpr (is_hopper(op_code)) check_target(l, op);
  if constexpr (row.has(ir::TileLevel) || row.has(ir::ReductionLevel) || row.has(ir::RegionLevel) ||
                row.has(ir::MeetingLevel) || row.has(ir::Terminator))
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
