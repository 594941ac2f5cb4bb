// SPDX-License-Identifier: Apache-2.0
// Clusters of blocks, and the grids before and after.
#include <fmt/format.h>

#include "codegen/lower/address_p.h"
#include "codegen/lower/ops_p.h"
#include "codegen/lower/registers_p.h"

namespace barline::codegen {

void lower(ir::Tag<ir::Op::ClusterRank>, Lowerer& l, const ir::Operation& op) {
  l.result_s32(op, l.pure_asm(l.int_type(32), "mov.u32 $0, %cluster_ctarank;", {}));
}

void lower(ir::Tag<ir::Op::ClusterArrive>, Lowerer& l, const ir::Operation&) {
  l.warp_asm(l.b().getVoidTy(), "barrier.cluster.arrive.release.aligned;", {}, true);
}

void lower(ir::Tag<ir::Op::ClusterWait>, Lowerer& l, const ir::Operation&) {
  l.warp_asm(l.b().getVoidTy(), "barrier.cluster.wait.acquire.aligned;", {}, true);
}

void lower(ir::Tag<ir::Op::StoreRemote>, Lowerer& l, const ir::Operation& op) {
  const ir::Type& type = l.type(op.in[3]);
  const Transfer t = stored(op, type);
  const Address a = address(l, op, type.lanes);
  llvm::Value* rank = l.b().CreateSExtOrTrunc(l.value(op.in[2]), l.int_type(32));
  // The other block's shared memory is one window, too: the offset stays in the instruction.
  llvm::Value* there =
      l.pure_asm(l.int_type(32), "mapa.shared::cluster.u32 $0, $1, $2;", {a.base, rank});
  const Values registers = pack(l, t, l.values(op.in[3]));
  for (int i = 0; i < t.instructions; ++i) {
    llvm::SmallVector<llvm::Value*, 5> args{there};
    for (int r = 0; r < t.registers; ++r) args.push_back(registers[i * t.registers + r]);
    l.memory_asm(l.b().getVoidTy(),
                 fmt::format("st.shared::cluster{} {}, {};", vector_suffix(t),
                             a.text(0, i * t.bytes()), register_list(t, 1)),
                 args);
  }
}

void lower(ir::Tag<ir::Op::AwaitPrevious>, Lowerer& l, const ir::Operation&) {
  l.memory_asm(l.b().getVoidTy(), "griddepcontrol.wait;", {});
}

void lower(ir::Tag<ir::Op::ReleaseNext>, Lowerer& l, const ir::Operation&) {
  l.memory_asm(l.b().getVoidTy(), "griddepcontrol.launch_dependents;", {});
}

}  // namespace barline::codegen
