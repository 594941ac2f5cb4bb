// SPDX-License-Identifier: Apache-2.0
// The lowerings, by family. dispatch.cpp calls lower(Tag<Op::X>{}, ...) for every row of ops.def,
// so a row that has no line here does not compile.
#pragma once

#include "codegen/lower/lowerer_p.h"
#include "ir/op.h"

namespace barline::codegen {

#define LOWERS(Name) void lower(ir::Tag<ir::Op::Name>, Lowerer& l, const ir::Operation& op);

// clang-format off
// identity.cpp
LOWERS(Const) LOWERS(ThreadId) LOWERS(BlockId) LOWERS(GridDim) LOWERS(ThreadRank) LOWERS(LaneId)
LOWERS(WarpId)
// arith.cpp
LOWERS(Add) LOWERS(Sub) LOWERS(Mul) LOWERS(MulHi) LOWERS(Div) LOWERS(Rem) LOWERS(Fma) LOWERS(Neg)
LOWERS(Abs) LOWERS(Min) LOWERS(Max) LOWERS(Sqrt) LOWERS(Round)
// bits.cpp
LOWERS(And) LOWERS(Or) LOWERS(Xor) LOWERS(Not) LOWERS(Shl) LOWERS(Shr) LOWERS(Popc) LOWERS(Clz)
LOWERS(Brev) LOWERS(BytePermute)
// convert.cpp
LOWERS(Cmp) LOWERS(Select) LOWERS(Cast) LOWERS(Bitcast)
// approx.cpp
LOWERS(Ex2Approx) LOWERS(Lg2Approx) LOWERS(RcpApprox) LOWERS(RsqrtApprox) LOWERS(SinApprox)
LOWERS(CosApprox) LOWERS(TanhApprox)
// address.cpp, memory.cpp
LOWERS(SlotAt) LOWERS(Load) LOWERS(Store) LOWERS(Prefetch) LOWERS(Pack) LOWERS(Extract)
// atomics.cpp
LOWERS(Atomic) LOWERS(AtomicCas) LOWERS(Fence)
// warp.cpp
LOWERS(Shuffle) LOWERS(Vote) LOWERS(WarpSync) LOWERS(Barrier)
// matrix.cpp
LOWERS(MmaSync) LOWERS(LoadMatrix) LOWERS(MoveMatrix)
// copies.cpp
LOWERS(Choose) LOWERS(CopyAsync) LOWERS(CommitCopies)
// gates.cpp: mbarriers, bulk and tensor copies
LOWERS(CopyBulk) LOWERS(CopyTensor) LOWERS(Arrive) LOWERS(Await) LOWERS(ProxyFence) LOWERS(Elect)
// warpgroup.cpp
LOWERS(StoreMatrix) LOWERS(Wgmma) LOWERS(WgmmaSlots) LOWERS(WgmmaFence) LOWERS(WgmmaCommit)
LOWERS(WgmmaWait) LOWERS(SetRegisters)
// cluster.cpp
LOWERS(ClusterRank) LOWERS(ClusterArrive) LOWERS(ClusterWait) LOWERS(StoreRemote)
LOWERS(AwaitPrevious) LOWERS(ReleaseNext)
// control.cpp
LOWERS(For) LOWERS(While) LOWERS(If)
// time.cpp
LOWERS(Clock) LOWERS(GlobalTimer) LOWERS(SmId)
// debug.cpp
LOWERS(Print) LOWERS(Check) LOWERS(Leave)
// clang-format on

#undef LOWERS

}  // namespace barline::codegen
